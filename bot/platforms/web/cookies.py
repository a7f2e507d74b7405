"""Giving a browser its cookie."""

from aiohttp import web

from bot.platforms.web.sessions import MAX_AGE_SECONDS, Sessions


def set_cookie(response: web.StreamResponse, request: web.Request, sessions: Sessions, browser: str) -> None:
    """Only for this site, out of reach of scripts, and only over https where the page came by https."""
    response.set_cookie(
        sessions.cookie,
        sessions.write(browser),
        max_age=MAX_AGE_SECONDS,
        path="/",
        httponly=True,
        samesite="Strict",
        secure=request.secure,
    )
