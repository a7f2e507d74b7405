"""Slack: the shell around slack-bolt. What needs no connection is in `bot.platforms.slack_text`."""
