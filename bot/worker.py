"""Draining one conversation: claim its oldest open turn, let the agent answer, deliver, close; until none is left.

Whatever happens in between, the turn stays open in the database until its ending was shown; an exception that leaves
`drain` means "try this conversation again later", and the next claim goes on where this one stopped.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot import respondents
from bot.agent.agent import Agent
from bot.agent.approval import ApprovalNeeded
from bot.agent.choice import choose
from bot.agent.journal import completes, tokens_of
from bot.agent.memory import folded, parsed
from bot.agent.prompt import Exchange, Question
from bot.agent.roster import Profile, Roster
from bot.agent.task import Answer, Task
from bot.attachments import from_stored
from bot.delivery import Delivery
from bot.errors import PlatformGone, TurnTimedOut, UserError, sentence_for
from bot.models.named_models import NamedModels
from bot.observing.about import Fact, about
from bot.observing.metrics import Metrics
from bot.pausing import Pausing
from bot.platforms.platform import Platform
from bot.recollection import Recollection
from bot.turn_journal import TurnJournal
from gadgets.roles import role_named
from storage import turns
from storage.database import Database
from storage.errors import StorageError
from storage.turns import Claim, Ending

_log = logging.getLogger(__name__)

CHOOSING = "choosing an agent…"
STOPPED = "*(stopped)*"
CANCELLED = "This mission was ended before I got to this message."
GAVE_UP = "I tried to answer this several times and was interrupted each time, so I gave up. Please ask again."


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """`seconds` is the deadline of one attempt at a turn; `attempts` how often one is begun; `window` in turns.
    `approval_seconds` is how long somebody may take to decide whether a gadget may run: the turn is paused meanwhile.
    """

    seconds: float
    attempts: int
    window: int
    approval_seconds: float = 600.0


class _Running:
    """The turn that is being answered in a conversation: its deadline, which a stop moves to now."""

    def __init__(self, deadline: asyncio.Timeout) -> None:
        self._deadline = deadline
        self.stopped = False

    def stop(self) -> None:
        if not self._deadline.expired():
            self.stopped = True
            self._deadline.reschedule(asyncio.get_running_loop().time())


class Worker:
    """Answers the turns of any conversation, one conversation per `drain` at a time."""

    def __init__(
        self,
        database: Database,
        agent: Agent,
        roster: Roster,
        platforms: Mapping[str, Platform],
        limits: TurnLimits,
        models: NamedModels | None = None,
        *,
        recollection: Recollection,
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._database = database
        self._recollection = recollection
        self._agent = agent
        self._models = models or NamedModels()
        self._roster = roster
        self._platforms = platforms
        self._limits = limits
        self._pausing = Pausing(database, limits.approval_seconds)
        self._running: dict[int, _Running] = {}
        self._closing = False

    async def drain(self, conversation: int) -> float | None:
        """Answer the conversation's open turns in order. Where the next one is paused until somebody decides something,
        returns in how many seconds it goes on without.

        Raises StorageError or PlatformError when it should be tried again later. Cancelling it is as harmless as a
        crash: everything recorded stays, the turn stays open.
        """
        more, window = True, self._recollection.window
        with self._recollection.answering():
            while more and not self._closing:
                claim = await self._database.write(respondents.claim, conversation, window=window, roster=self._roster)
                if claim is None:
                    return await self._pausing.seconds_left(conversation)
                with about(claim.user_message, **_facts(claim)):
                    more = await self._work(claim)
                self._recollection.fold(conversation)
        return None

    def stop(self, conversation: int) -> None:
        """Interrupt the answer that is being made in this conversation, if this process makes it."""
        if running := self._running.get(conversation):
            running.stop()

    def close(self) -> None:
        """Claim nothing more; what runs goes on."""
        self._closing = True

    async def _work(self, claim: Claim) -> bool:
        """See one turn to its end, or to a pause; whether the conversation has an open one then."""
        delivery = Delivery(self._database, self._platforms[claim.conversation.platform], claim, self._metrics)
        if claim.attempt == 1:
            self._metrics.claimed(claim.created_at)
        journal = TurnJournal(self._database, claim, delivery.status)
        try:
            ending = claim.ending or await self._conclude(claim, journal, delivery)
            with self._metrics.timed("delivery"):
                await delivery.complete(ending, journal.tools)
        except ApprovalNeeded as needed:
            await self._pausing.pause(claim, delivery, needed.call)
            return True
        except PlatformGone as gone:
            _log.warning("turn %d: its answer cannot be shown: %s", claim.turn, gone)
        finally:
            await delivery.cancel()
        over = completes(journal.steps)
        more = await self._database.write(turns.finish, claim.turn, claim.attempt, delivery.unstored, completes=over)
        self._metrics.closed(claim.conversation.platform, ending.outcome, claim.created_at)
        return more

    async def _conclude(self, claim: Claim, journal: TurnJournal, delivery: Delivery) -> Ending:
        """Decide how the turn ends, and record it."""
        ending, last = self._foregone(claim), None
        if ending is None:
            delivery.start()
            ending, last = await self._answer(claim, journal, delivery)
        await journal.conclude(ending, last)
        return ending

    def _foregone(self, claim: Claim) -> Ending | None:
        """The ending of a turn that needs no answer any more."""
        if claim.conversation.status == "completed":
            return Ending("cancelled", CANCELLED)
        if claim.stop_requested:
            return Ending("stopped", STOPPED)
        if claim.attempt - claim.pauses > self._limits.attempts:
            return Ending("failed", GAVE_UP, error="too many attempts")
        return None

    async def _answer(
        self, claim: Claim, journal: TurnJournal, delivery: Delivery
    ) -> tuple[Ending, dict[str, Any] | None]:
        conversation = claim.conversation.number
        agent = self._agent
        try:
            async with asyncio.timeout(self._limits.seconds) as deadline:
                running = self._running[conversation] = _Running(deadline)
                profile = await self._profile(claim, journal, delivery)
                agent = await self._equipped(profile)
                task = self._task(claim, profile)
                answer = await agent.answer(task, journal, delivery)
        except TimeoutError as error:
            if running.stopped:
                return self._partial(agent, delivery, journal, "stopped", STOPPED), None
            return self._failed(claim, agent, delivery, journal, TurnTimedOut(), error), None
        except (StorageError, ApprovalNeeded):
            raise
        except Exception as error:  # noqa: BLE001 - every turn ends visibly, whatever goes wrong in it
            return self._failed(claim, agent, delivery, journal, error, error), None
        finally:
            self._running.pop(conversation, None)
        if running.stopped:  # in the moment in which the answer was complete; who stopped it was told so
            return self._partial(agent, delivery, journal, "stopped", STOPPED), answer.last_step
        exchange = Exchange(claim.author_name, task.question.text, answer.text)
        self._recollection.consider(conversation, [*task.past, exchange], answer.room, agent)
        return _ending(answer), answer.last_step

    async def _profile(self, claim: Claim, journal: TurnJournal, delivery: Delivery) -> Profile:
        """Who answers: the conversation's agent, or, where there is none yet, the one that the model chooses."""
        profile = self._roster.answering(claim.conversation.agent)
        if profile is None:
            delivery.status(CHOOSING)
            model, num_ctx = self._agent.model, self._agent.options.num_ctx
            choice = await choose(model, self._roster.profiles, claim.user_message, num_ctx)
            await journal.record_choice(choice.body)
            profile = choice.profile
        return profile

    async def _equipped(self, profile: Profile) -> Agent:
        """The loop with the agent's own model, where it names one. Raises ModelError."""
        return replace(self._agent, model=await self._models.get(profile.model)) if profile.model else self._agent

    def _task(self, claim: Claim, profile: Profile) -> Task:
        said = self._roster.addressed
        files = from_stored(claim.attachments, claim.images)
        past = [Exchange(p.author_name, said(p.user_message).text, p.agent_response) for p in claim.window]
        older, newer = self._recollection.split(past)
        summary = claim.conversation.summary
        return Task(
            profile=profile,
            question=Question(claim.author_name, said(claim.user_message).text, claim.shared, files),
            past=newer,
            summary=str(folded(parsed(summary), older)) if older else summary,
            asker=f"{claim.conversation.platform}:{claim.author}",
            conversation=claim.conversation.id,
            turn=claim.turn,
            state=claim.conversation.state,
            role=role_named(claim.role),
            verdicts=claim.verdicts,
        )

    def _failed(
        self,
        claim: Claim,
        agent: Agent,
        delivery: Delivery,
        journal: TurnJournal,
        reason: Exception,
        cause: BaseException,
    ) -> Ending:
        expected = isinstance(reason, UserError)
        _log.log(logging.INFO if expected else logging.ERROR, "turn %d failed: %r", claim.turn, cause)
        why = f"{type(reason).__name__}: {reason}"
        return self._partial(agent, delivery, journal, "failed", sentence_for(reason), error=why)

    def _partial(
        self,
        agent: Agent,
        delivery: Delivery,
        journal: TurnJournal,
        outcome: str,
        note: str,
        error: str | None = None,
    ) -> Ending:
        """Keep what was shown so far, and say why there is no more. Tokens are those of the recorded steps: what an
        output costs that broke off is not known.
        """
        text = f"{delivery.partial.rstrip()}\n\n{note}".strip()
        return Ending(outcome, text, delivery.partial, agent.answered_by, *tokens_of(journal.steps), error=error)


def _facts(claim: Claim) -> dict[str, Fact]:
    """What the log says of everything that is done for this turn."""
    place = claim.conversation
    return {"platform": place.platform, "conversation": place.id, "turn": claim.turn, "attempt": claim.attempt}


def _ending(answer: Answer) -> Ending:
    return Ending(
        "answered",
        answer.text,
        answer.raw,
        answer.model,
        answer.prompt_tokens,
        answer.completion_tokens,
    )
