"""What every chat platform must do, told once and run against each: Discord, Slack, the web page, the terminal.

The tests speak only of people, places and what is seen there (`stage.Stage`). Each platform has a module that plays
its part with the real platform of `bot/platforms` in front of a fake of the other side: a server, a browser, a
keyboard. What a platform cannot do by its nature is said in its stage's `cannot`, with the reason; tests that need it
are skipped with that reason, so that the report of a run lists all differences between the platforms.

    test_platform_talk        one answer per question, in order, where it was asked; repeated events
    test_platform_answers     growing, status, parts, file; stop keeps the text; words that would do harm
    test_platform_commands    /mission, private answers, who may do what
    test_platform_approvals   a gadget that waits for somebody's word: who may say it, once, also after a restart
    test_platform_recovery    a crash at each instant between taking a message in and closing its turn
    test_platform_replies     `Reply` and `Platform` call by call: keys, repetition, limits, errors
    test_platform_trouble     failing calls and lost places under the whole bot

How to add a platform
---------------------
1. Write `bot/platforms/<name>/`: a `Platform` whose `run` turns events into `Inbound` values (an event key that is the
   same on every repetition; acknowledged after `Inbox.admit` returned, not before) and a `Reply` that can be called
   again after a crash. Put what needs no connection into a pure `<name>_text.py`. Errors leave it as PlatformError
   (later) or PlatformGone (never), as nothing else.
2. Write its fake in `tests/fakes/<name>`: at the wire, strict, with a way to repeat an event, to fail a call before or
   after its effect, and to let a place go.
3. Write `<name>_stage.py` here: a `Stage` that makes the platform from settings which point to the fake. `views` tells
   what people see, read from the fake and not from the bot; `complete` is true of one message of each answer, the one
   that shows by itself that nothing follows (its buttons, the end of its output).
4. Add it to `STAGES` in conftest.py. Run `pytest tests/contract/platforms -k <name>`. What fails is missing; what the
   platform can never do goes into `cannot`, with a reason that a user would accept.
"""
