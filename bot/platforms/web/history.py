"""Stored conversations and turns as the page shows them."""

import asyncio
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from bot import approval_texts
from bot.platforms.web.frames import ConversationSummary, PastMessage, ResponseComplete
from bot.platforms.web.hub import Hub, Running, message_id_of
from bot.platforms.web.rendering import render
from storage.approvals import Approval
from storage.conversations import Conversation
from storage.records import TurnRecord

PAGE_CHARACTERS = 200_000
"""Of messages and answers in one frame, unless a single turn has more."""


def summary(conversation: Conversation) -> ConversationSummary:
    return ConversationSummary(
        conversation_id=conversation.id,
        number=conversation.number,
        title=conversation.title,
        agent=conversation.agent,
        status=conversation.status,
        started_at=conversation.started_at,
        last_updated=conversation.last_updated,
    )


def newest_fitting(turns: Sequence[TurnRecord], characters: int = PAGE_CHARACTERS) -> Sequence[TurnRecord]:
    """As many of the last turns as fit, at least one."""
    first = len(turns)
    for index in range(len(turns) - 1, -1, -1):
        characters -= len(turns[index].user_message) + len(turns[index].agent_response)
        if characters < 0 and first < len(turns):
            break
        first = index
    return turns[first:]


async def past_messages(
    conversation: Conversation, turns: Sequence[TurnRecord], hub: Hub, waits: Approval | None = None
) -> list[PastMessage]:
    """Turns of a conversation, an open one with its answer so far, or with what it `waits` for: as it is at the end of
    this call.
    """
    browser = conversation.channel
    pages = await asyncio.to_thread(list, _laid_out(turns))
    running = hub.running(browser, conversation.id)
    stored = (_stored(browser, turn, html) for turn, html in zip(turns, pages, strict=True))
    current = (_current(message, hub.ended(message.turn), running) for message in stored)
    return [_asking(message, waits) if waits and running is None else message for message in current]


def _laid_out(turns: Sequence[TurnRecord]) -> Iterator[str]:
    return (render(turn.agent_response) if turn.agent_response else "" for turn in turns)


def _stored(browser: str, turn: TurnRecord, html: str) -> PastMessage:
    return PastMessage(
        turn=turn.id,
        message_id=message_id_of(turn.event_key, browser),
        status=_status(turn),
        text=turn.user_message,
        answer=turn.agent_response,
        html=html,
        model=turn.model,
        tools=list(dict.fromkeys(turn.tools)),
        rating=turn.rating or 0,
        created_at=turn.created_at,
    )


def _status(turn: TurnRecord) -> str:
    """A turn is closed a moment after its whole answer was stored and shown; that moment is not shown."""
    if turn.status == "running" and turn.agent_response:
        return "failed" if turn.error else "answered"
    return turn.status


def _current(message: PastMessage, ended: ResponseComplete | None, running: Running | None) -> PastMessage:
    """With what happened since the database was read."""
    if message.answer:
        return message
    if ended:
        html, tools = ended.html or render(ended.text), list(ended.tools)
        return replace(message, status=ended.outcome, answer=ended.text, html=html, model=ended.model, tools=tools)
    if running and running.turn == message.turn:
        asked = replace(message, status="running", answer=running.text, html=running.lay_out())
        wait = running.approval
        return replace(asked, approval=wait.id, expires_at=wait.expires_at) if wait else asked
    return message


def _asking(message: PastMessage, waits: Approval) -> PastMessage:
    """With the question that was asked before a restart, and waits still."""
    if message.answer or message.turn != waits.turn:
        return message
    text = approval_texts.question(waits)
    return replace(message, answer=text, html=render(text), approval=waits.id, expires_at=waits.expires_at)
