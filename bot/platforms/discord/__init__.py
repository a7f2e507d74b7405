"""Discord: the shell around discord.py. What needs no connection is in `bot.platforms.discord_text` and `access`."""
