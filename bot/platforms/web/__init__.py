"""The chat page: one aiohttp server, one WebSocket per open page, no request to anywhere else.

`server` is the shell (routes, start, end); `chat` carries out what a page asks for; `hub` knows who is connected and
what is being answered; `frames` is the wire; `markdown` (through `rendering`), `gate`,
`sessions` and `logins` are pure.
"""
