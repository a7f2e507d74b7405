"""Who answers: hand-overs and choices, recorded so that no crash changes them, and agents with a model of their own."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest

from bot.agent.roster import AUTO, Roster
from bot.commands import Invocation
from bot.errors import ModelBusy, ModelNotFound, UnknownAgent, sentence_for
from bot.models.model import AssistantMessage, Finished, Model, UserMessage
from bot.models.named_models import NamedModels
from bot.platforms.platform import Author, Inbound
from storage import conversations, records, turns
from storage.database import Connection
from tests.core import PLAIN, PROFILE, Core, running_core
from tests.fakes.scripted_model import Script, ScriptedModel
from tests.fakes.stub_platform import StubPlatform, message
from tests.waiting import until

UNDECIDED = Roster({PROFILE.name: PROFILE, PLAIN.name: PLAIN}, AUTO)
PICKS_PLAIN = [json.dumps({"agent": "plain"})]


def prompts(model: ScriptedModel) -> list[str]:
    """The beginning of the system prompt of every request."""
    return [request.messages[0].text[:15] for request in model.requests]


ANSWERS_AS = {"quartermaster": PROFILE.prompt[:15], "plain": "You are plain.\n"}
CHOOSES = "You decide whic"


async def agents(core: Core[StubPlatform]) -> list[str]:
    """Of every conversation, in order."""
    return await core.database.read(
        lambda connection: [
            name for (name,) in connection.execute("SELECT agent FROM conversations ORDER BY number").fetchall()
        ]
    )


async def closed(core: Core[StubPlatform], count: int) -> None:
    await core.platform.wait_for(count)
    await until(lambda: core.engine.idle)


class TestHandOver:
    async def test_an_agents_name_and_a_colon_choose_who_answers_a_new_mission(self, tmp_path: Path) -> None:
        model = ScriptedModel(["Hello."])
        async with running_core(tmp_path / "db", model) as core:
            await core.inbox.admit(message("Plain: good morning"))
            await closed(core, 1)
            [conversation] = await core.database.read(conversations.recent, conversations.Place(), limit=9)
            [turn] = await core.database.read(records.transcript, conversation.number, limit=9)
        assert (conversation.agent, conversation.title) == ("plain", "good morning")
        assert turn.user_message == "Plain: good morning", "what was said is kept as it was said"
        assert model.requests[0].messages[1:] == (UserMessage("good morning"),)
        assert prompts(model) == [ANSWERS_AS["plain"]]

    async def test_in_a_running_mission_they_hand_over_from_there_on_and_the_history_is_kept(
        self, tmp_path: Path
    ) -> None:
        model = ScriptedModel(["One."], ["Two."], ["Three."])
        async with running_core(tmp_path / "db", model) as core:
            for number, text in enumerate(["first", "plain: second", "third"]):
                await core.inbox.admit(message(text, number))
            await closed(core, 3)
            assert await agents(core) == ["plain"]
        assert prompts(model) == [ANSWERS_AS[name] for name in ("quartermaster", "plain", "plain")]
        assert model.requests[2].messages[1:] == (
            UserMessage("first"),
            AssistantMessage("One."),
            UserMessage("second"),
            AssistantMessage("Two."),
            UserMessage("third"),
        )

    async def test_a_hand_over_does_not_touch_what_is_still_being_answered(self, tmp_path: Path) -> None:
        gate = asyncio.Event()
        model = ScriptedModel(["On", gate, "e."], ["Two."], ["Three."])
        async with running_core(tmp_path / "db", model) as core:
            for number, text in enumerate(["first", "second", "plain: third"]):
                await core.inbox.admit(message(text, number))
            assert await agents(core) == ["quartermaster"]
            gate.set()
            await closed(core, 3)
            assert await agents(core) == ["plain"]
        assert prompts(model) == [ANSWERS_AS[name] for name in ("quartermaster", "quartermaster", "plain")]

    async def test_a_message_that_is_taken_back_hands_nothing_over_and_an_edit_does(self, tmp_path: Path) -> None:
        gate = asyncio.Event()
        model = ScriptedModel(["On", gate, "e."], ["Two."])
        async with running_core(tmp_path / "db", model) as core:
            asked = [message(text, number) for number, text in enumerate(["first", "plain: second", "third"])]
            for inbound in asked:
                await core.inbox.admit(inbound)
            await core.inbox.withdraw(asked[1].event_key)
            await core.inbox.amend(asked[2].event_key, "third")
            gate.set()
            await closed(core, 2)
            assert await agents(core) == ["quartermaster"]

            model._scripts.append(["Three."])
            await core.inbox.admit(message("quartermaster: go on", 3))
            await closed(core, 3)
        assert prompts(model) == [ANSWERS_AS["quartermaster"]] * 3

    async def test_any_other_word_before_a_colon_is_just_text(self, tmp_path: Path) -> None:
        model = ScriptedModel(["Noted."])
        async with running_core(tmp_path / "db", model) as core:
            await core.inbox.admit(message("note: plain: is a word"))
            await closed(core, 1)
            assert await agents(core) == ["quartermaster"]
        assert model.requests[0].messages[1:] == (UserMessage("note: plain: is a word"),)

    async def test_whoever_speaks_in_a_shared_mission_may_hand_over_and_is_still_named(self, tmp_path: Path) -> None:
        model = ScriptedModel(["Hello Alice."], ["Hello Bob."])
        async with running_core(tmp_path / "db", model) as core:
            await core.inbox.admit(message("I am here", 1, shared=True))
            await core.inbox.admit(message("plain: me too", 2, author=Author("u2", "Bob"), shared=True))
            await closed(core, 2)
        assert [m.text for m in model.requests[1].messages[1:]] == ["Alice: I am here", "Hello Alice.", "Bob: me too"]

    async def test_who_is_asked_for_by_name_must_exist(self, tmp_path: Path) -> None:
        asked = message("x")
        async with running_core(tmp_path / "db", ScriptedModel(), roster=UNDECIDED) as core:
            for name in ("moneypenny", "AUTO ", "../plain"):
                inbound = Inbound(asked.key, asked.author, "x", "stub:e", agent=name)
                with pytest.raises(UnknownAgent, match="quartermaster, plain"):
                    await core.inbox.admit(inbound)
                with pytest.raises(UnknownAgent, match="quartermaster, plain"):
                    await core.commands.run(Invocation("new", {"agent": name}, asked.key, asked.author))
            assert await agents(core) == []


class TestChoice:
    async def test_the_model_chooses_by_the_first_message_once_and_it_is_recorded(self, tmp_path: Path) -> None:
        model = ScriptedModel(PICKS_PLAIN, ["One."], ["Two."])
        async with running_core(tmp_path / "db", model, roster=UNDECIDED) as core:
            admitted = await core.inbox.admit(message("good morning"))
            await core.platform.wait_for(1)
            await core.inbox.admit(message("and now?", 2))
            await closed(core, 2)
            assert await agents(core) == ["plain"]
            choice, answer = await core.database.read(turns.steps, admitted.turn)
        assert prompts(model) == [CHOOSES, ANSWERS_AS["plain"], ANSWERS_AS["plain"]]
        assert (choice.kind, choice.body["agent"], answer.kind) == ("choice", "plain", "model")

    async def test_what_the_choice_cost_is_part_of_the_turn(self, tmp_path: Path) -> None:
        def tokens(connection: Connection) -> tuple[int, int]:
            row = connection.execute("SELECT prompt_tokens, completion_tokens FROM turns").fetchone()
            return int(row[0]), int(row[1])

        choice: Script = [*PICKS_PLAIN, Finished("stop", 200, 9)]
        model = ScriptedModel(choice, ["One.", Finished("stop", 30, 2)])
        async with running_core(tmp_path / "db", model, roster=UNDECIDED) as core:
            await core.inbox.admit(message("good morning"))
            await closed(core, 1)
            assert await core.database.read(tokens) == (230, 11)

    @pytest.mark.parametrize("script", [[ModelBusy("full")], ["I like them all."], ['{"agent": "moneypenny"}']])
    async def test_the_first_agent_answers_when_the_model_cannot_choose(self, tmp_path: Path, script: Script) -> None:
        model = ScriptedModel(script, ["One."])
        async with running_core(tmp_path / "db", model, roster=UNDECIDED) as core:
            await core.inbox.admit(message("good morning"))
            await closed(core, 1)
            assert await agents(core) == ["quartermaster"]
            assert core.platform.channel.answers() == ["One."]

    @pytest.mark.parametrize("said", ["plain: hello", "/mission new plain"])
    async def test_nothing_is_chosen_where_somebody_said_who(self, tmp_path: Path, said: str) -> None:
        model = ScriptedModel(["One."])
        async with running_core(tmp_path / "db", model, roster=UNDECIDED) as core:
            if said.startswith("/"):
                await core.commands.start(message("").key, message("").author, "plain")
                said = "hello"
            await core.inbox.admit(message(said))
            await closed(core, 1)
        assert prompts(model) == [ANSWERS_AS["plain"]]

    async def test_a_choice_can_be_changed_by_a_name_or_a_new_mission(self, tmp_path: Path) -> None:
        model = ScriptedModel(PICKS_PLAIN, ["One."], ["Two."], ['{"agent": "quartermaster"}'], ["Three."])
        async with running_core(tmp_path / "db", model, roster=UNDECIDED) as core:
            await core.inbox.admit(message("good morning", 1))
            await core.inbox.admit(message("quartermaster: and you?", 2))
            await closed(core, 2)
            key, author = message("").key, message("").author
            begun = await core.commands.run(Invocation("new", {}, key, author))
            assert "whichever agent suits it best" in begun.text
            await core.inbox.admit(message("good evening", 3))
            await closed(core, 3)
            assert await agents(core) == ["quartermaster", "quartermaster"]
        chosen = [CHOOSES, ANSWERS_AS["plain"], ANSWERS_AS["quartermaster"], CHOOSES, ANSWERS_AS["quartermaster"]]
        assert prompts(model) == chosen

    async def test_a_crash_between_choosing_and_answering_does_not_choose_again(self, tmp_path: Path) -> None:
        before = ScriptedModel(PICKS_PLAIN, ["On", asyncio.Event()])
        platform = StubPlatform()
        async with running_core(tmp_path / "db", before, platform, roster=UNDECIDED) as core:
            admitted = await core.inbox.admit(message("good morning"))
            await until(lambda: len(before.requests) == 2)
            crash(core)
            await until(lambda: core.engine.idle)
        after = ScriptedModel(["One."])
        again = StubPlatform(platform.channel)
        async with running_core(tmp_path / "db", after, again, roster=UNDECIDED) as core:
            await closed(core, 1)
            recorded = await core.database.read(turns.steps, admitted.turn)
        assert prompts(after) == [ANSWERS_AS["plain"]]
        assert [step.kind for step in recorded] == ["choice", "model"]
        assert platform.channel.answers() == ["One."]

    async def test_a_crash_while_choosing_chooses_again(self, tmp_path: Path) -> None:
        before = ScriptedModel(['{"agent"', asyncio.Event()])
        platform = StubPlatform()
        async with running_core(tmp_path / "db", before, platform, roster=UNDECIDED) as core:
            await core.inbox.admit(message("good morning"))
            await until(lambda: len(before.requests) == 1)
            crash(core)
            await until(lambda: core.engine.idle)
        after = ScriptedModel(PICKS_PLAIN, ["One."])
        async with running_core(tmp_path / "db", after, StubPlatform(platform.channel), roster=UNDECIDED) as core:
            await closed(core, 1)
            assert await agents(core) == ["plain"]

    async def test_a_stop_while_choosing_ends_the_turn_and_the_next_message_chooses(self, tmp_path: Path) -> None:
        model = ScriptedModel(['{"agent"', asyncio.Event()], PICKS_PLAIN, ["Two."])
        async with running_core(tmp_path / "db", model, roster=UNDECIDED) as core:
            asked = message("good morning", 1)
            await core.inbox.admit(asked)
            await until(lambda: len(model.requests) == 1)
            await core.commands.run(Invocation("stop", {}, asked.key, asked.author))
            await core.inbox.admit(message("good evening", 2))
            await closed(core, 2)
            assert [final.outcome for _, final in core.platform.channel.finals] == ["stopped", "answered"]
        assert prompts(model) == [CHOOSES, CHOOSES, ANSWERS_AS["plain"]]


def crash(core: Core[StubPlatform]) -> None:
    """As if the program ended here: what is cancelled records nothing more."""
    for task in core.engine._tasks.values():
        task.cancel()


class Closing(ScriptedModel):
    """A model that tells when it is opened and closed."""

    def __init__(self, name: str, told: list[str]) -> None:
        super().__init__(answer=lambda _: [f"{name} speaks."])
        self.name = name
        self._told = told

    async def __aenter__(self) -> Self:
        self._told.append(f"{self.name} opens")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._told.append(f"{self.name} closes")


@asynccontextmanager
async def core_with(tmp_path: Path, models: NamedModels, model: Model) -> AsyncIterator[Core[StubPlatform]]:
    """The quartermaster speaks with the configured model, the plain agent with one called "other"."""
    roster = Roster({PROFILE.name: PROFILE, PLAIN.name: replace(PLAIN, model="other")}, PROFILE.name)
    async with models, running_core(tmp_path / "db", model, roster=roster, models=models) as core:
        yield core


class TestModels:
    async def test_an_agent_may_speak_with_another_model_which_is_opened_when_it_is_needed(
        self, tmp_path: Path
    ) -> None:
        told: list[str] = []
        models = NamedModels(lambda name: Closing(name, told))
        async with core_with(tmp_path, models, ScriptedModel(["The usual one speaks."])) as core:
            await core.inbox.admit(message("hello", 1))
            await closed(core, 1)
            assert told == []
            for number in (2, 3):
                await core.inbox.admit(message("plain: hello", number))
            await closed(core, 3)
            assert core.platform.channel.answers() == ["The usual one speaks.", "other speaks.", "other speaks."]
            assert [final.model for _, final in core.platform.channel.finals] == [
                "scripted/script-1",
                "scripted/other",
                "scripted/other",
            ]
        assert told == ["other opens", "other closes"]

    async def test_a_model_that_does_not_exist_fails_that_agents_answers_with_a_sentence(self, tmp_path: Path) -> None:
        async with core_with(tmp_path, NamedModels(), ScriptedModel(["Fine."])) as core:
            await core.inbox.admit(message("plain: hello", 1))
            await core.inbox.admit(message("quartermaster: hello", 2))
            await closed(core, 2)
            assert core.platform.channel.answers() == [sentence_for(ModelNotFound()), "Fine."]
