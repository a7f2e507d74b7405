"""Who answers a turn, decided and recorded in the database: units of work around the queue's own."""

from dataclasses import replace

from bot.agent.roster import Roster
from storage import conversations, turns
from storage.database import Connection
from storage.turns import Claim, Step


def claim(connection: Connection, conversation: int, *, window: int, roster: Roster) -> Claim | None:
    """Claim the oldest open turn. One that opens with an agent's name hands its conversation over to that agent.

    Only now, not when it is admitted: the messages before it are for who answered until then, it may be edited while
    it waits, and a message that is taken back hands nothing over.
    """
    claimed = turns.claim(connection, conversation, window=window)
    if claimed is None or claimed.conversation.status != "active":
        return claimed
    asked = roster.addressed(claimed.user_message).agent
    if asked is None or asked == claimed.conversation.agent:
        return claimed
    conversations.hand_over(connection, conversation, asked)
    return replace(claimed, conversation=replace(claimed.conversation, agent=asked))


def record_choice(connection: Connection, claimed: Claim, step: Step) -> None:
    """Record which agent was chosen, in the turn and for the conversation. Raises Fenced."""
    turns.record_step(connection, claimed.turn, claimed.attempt, step)
    conversations.hand_over(connection, claimed.conversation.number, step.body["agent"])
