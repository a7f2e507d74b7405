"""Routes by which the bot answers interactions: the callback within 3 s, then a webhook for 15 minutes."""

import hmac
from typing import Any

from tests.fakes.discord.calls import Answer, Call, Route
from tests.fakes.discord.changes import Changes
from tests.fakes.discord.drafts import Draft
from tests.fakes.discord.encoding import Json, user_json
from tests.fakes.discord.errors import DiscordError
from tests.fakes.discord.interactions import AUTOCOMPLETE, COMPONENT, Interaction
from tests.fakes.discord.state import EPHEMERAL, LOADING, Message

CALLBACK = "/interactions/{interaction_id}/{interaction_token}/callback"
WEBHOOK = "/webhooks/{webhook_id}/{webhook_token}"
ORIGINAL = f"{WEBHOOK}/messages/@original"
FOLLOWUP = f"{WEBHOOK}/messages/{{message_id}}"
REPLY, DEFER_REPLY, DEFER_UPDATE, UPDATE, CHOICES = 4, 5, 6, 7, 8
FITTING = {AUTOCOMPLETE: {CHOICES}, COMPONENT: {REPLY, DEFER_REPLY, DEFER_UPDATE, UPDATE}}


class InteractionRoutes:
    def __init__(self, changes: Changes, interactions: dict[int, Interaction]) -> None:
        self._changes = changes
        self._world = changes.world
        self._interactions = interactions

    def routes(self) -> list[Route]:
        return [
            Route("POST", CALLBACK, self._callback, open=True),
            Route("GET", ORIGINAL, lambda call: self._shown(self._original(call)), open=True),
            Route("PATCH", ORIGINAL, lambda call: self._edit(call, self._original(call)), open=True),
            Route("DELETE", ORIGINAL, lambda call: self._changes.delete(self._original(call)), open=True),
            Route("POST", WEBHOOK, self._follow_up, open=True),
            Route("GET", FOLLOWUP, lambda call: self._shown(self._message(call)), open=True),
            Route("PATCH", FOLLOWUP, lambda call: self._edit(call, self._message(call)), open=True),
            Route("DELETE", FOLLOWUP, lambda call: self._changes.delete(self._message(call)), open=True),
        ]

    def _callback(self, call: Call) -> Answer:
        interaction = self._interactions.get(call.id("interaction_id"))
        if interaction is None or not hmac.compare_digest(interaction.token, call.path["interaction_token"]):
            raise DiscordError(10062)
        if interaction.callback is not None:
            raise DiscordError(40060)
        if self._world.clock.now() - interaction.created_at > self._world.limits.interaction:
            raise DiscordError(10062)
        kind = call.body["type"]
        if kind not in FITTING.get(interaction.kind, {REPLY, DEFER_REPLY}):
            raise DiscordError(50035)
        self._answer(interaction, kind, call)
        interaction.callback = kind
        return Answer(200, self._described(interaction)) if call.flag("with_response") else Answer(204)

    def _answer(self, interaction: Interaction, kind: int, call: Call) -> None:
        data: dict[str, Any] = call.body.get("data") or {}
        if kind == CHOICES:
            interaction.choices = data.get("choices") or []
        elif kind == DEFER_REPLY:
            flags = (data.get("flags") or 0) & EPHEMERAL | LOADING
            interaction.message = self._post(interaction, Draft(flags=flags))
        elif kind == DEFER_UPDATE:
            interaction.message = interaction.source
        else:
            self._say(interaction, kind, self._changes.drafts.read(data, call.files, prefix="data."))

    def _say(self, interaction: Interaction, kind: int, draft: Draft) -> None:
        if kind == UPDATE:
            assert interaction.source is not None
            self._changes.edit(interaction.source, draft)
            interaction.message = interaction.source
            return
        if self._changes.drafts.empty(draft):
            raise DiscordError(50006)
        interaction.message = self._post(interaction, draft)

    def _post(self, interaction: Interaction, draft: Draft) -> Message:
        """An ephemeral message is in no history and no event."""
        more: dict[str, Any] = {"webhook_id": self._world.application_id, "kind": 20}
        more["interaction"] = interaction.metadata(user_json(interaction.user))
        message = self._changes.compose(interaction.channel, self._world.bot, draft, **more)
        if not message.ephemeral:
            self._changes.publish(message)
        return message

    def _described(self, interaction: Interaction) -> Json:
        assert interaction.callback is not None
        found: dict[str, Any] = {"id": str(interaction.id), "type": interaction.kind}
        message = interaction.message
        if message is None:
            return {"interaction": found}
        loading = bool(message.flags & LOADING)
        found |= {"response_message_id": str(message.id), "response_message_loading": loading}
        found["response_message_ephemeral"] = message.ephemeral
        if interaction.callback in {DEFER_UPDATE, DEFER_REPLY}:
            return {"interaction": found}
        return {"interaction": found, "resource": {"type": interaction.callback, "message": self._shown(message)}}

    def _interaction(self, call: Call) -> Interaction:
        """Raises 10015 for a token that is none or was not used yet, 50027 for one that is too old."""
        token = call.path["webhook_token"]
        found = next((each for each in self._interactions.values() if hmac.compare_digest(each.token, token)), None)
        if found is None or found.callback is None or call.id("webhook_id") != self._world.application_id:
            raise DiscordError(10015)
        if self._world.clock.now() - found.created_at > self._world.limits.interaction_token:
            raise DiscordError(50027)
        return found

    def _original(self, call: Call) -> Message:
        message = self._interaction(call).message
        if message is None or message.deleted:
            raise DiscordError(10008)
        return message

    def _message(self, call: Call) -> Message:
        interaction = self._interaction(call)
        known = [*interaction.followups, *([interaction.message] if interaction.message else [])]
        for message in known:
            if message.id == call.id("message_id") and not message.deleted:
                return message
        raise DiscordError(10008)

    def _edit(self, call: Call, message: Message) -> Json:
        draft = self._changes.drafts.read(call.body, call.files)
        if self._changes.drafts.empty(draft) and not message.content and not message.embeds:
            raise DiscordError(50006)
        message.flags &= ~LOADING
        self._changes.edit(message, draft)
        return self._shown(message)

    def _follow_up(self, call: Call) -> Answer:
        """The first one after "thinking…" takes its place."""
        interaction = self._interaction(call)
        draft = self._changes.drafts.read(call.body, call.files)
        if self._changes.drafts.empty(draft):
            raise DiscordError(50006)
        if interaction.loading and interaction.message is not None:
            return Answer(200, self._edit(call, interaction.message))
        message = self._post(interaction, draft)
        interaction.followups.append(message)
        return Answer(200, self._shown(message))

    def _shown(self, message: Message) -> Json:
        return self._changes.encoder.message(message)
