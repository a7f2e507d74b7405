"""With `agent = "auto"`: the model chooses who answers a conversation, by its first message. Once, and recorded.

The model writes one JSON object, constrained to `choice_schema` where the provider can: {"agent": "quartermaster"}.
Its first JSON object must be just that; when the model fails, or writes anything else, the first agent answers.
"""

import logging
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from bot.agent.prompt import clip_middle
from bot.agent.roster import Profile
from bot.errors import ModelError
from bot.models.model import (
    Collected,
    JsonSchema,
    Message,
    Model,
    Request,
    SystemMessage,
    UserMessage,
)
from bot.models.strict_json import first_value

_log = logging.getLogger(__name__)

CHOICE_TOKENS = 48
"""Of the model's output: a name, and what JSON needs around it."""
CHOICE_CHARACTERS = 2_000
"""Of the message; a longer one is shown with its middle left out."""
MAX_OUTPUT = 1_000
"""Characters that are read of a model that does not keep to CHOICE_TOKENS."""

_SYSTEM = """You decide which agent answers a message. Write only JSON: {{"agent":NAME}}
Agents:
{agents}"""


@dataclass(frozen=True, slots=True)
class Choice:
    """Who was chosen. `body` is the step that records it: what the model wrote, and what that cost."""

    profile: Profile
    body: dict[str, Any]


def choice_schema(profiles: Sequence[Profile]) -> JsonSchema:
    names = [profile.name for profile in profiles]
    return {
        "type": "object",
        "properties": {"agent": {"type": "string", "enum": names}},
        "required": ["agent"],
        "additionalProperties": False,
    }


def choice_messages(profiles: Sequence[Profile], text: str) -> tuple[Message, ...]:
    agents = "\n".join(f"- {profile.name}: {profile.description}" for profile in profiles)
    system = _SYSTEM.format(agents=agents)
    return SystemMessage(system), UserMessage(f"Message: {clip_middle(text, CHOICE_CHARACTERS)}")


def parse_choice(text: str, profiles: Sequence[Profile]) -> Profile | None:
    """The agent that the first JSON object in the model's output names; None when there is none."""
    try:
        chosen = first_value(text[max(0, text.find("{")) :])
    except ValueError:
        return None
    name = chosen.get("agent") if isinstance(chosen, dict) else None
    return next((profile for profile in profiles if profile.name == name), None)


async def choose(model: Model, profiles: Sequence[Profile], text: str, num_ctx: int) -> Choice:
    """Ask the model, if there is anything to choose. Never raises ModelError.

    `num_ctx` is that of the answers: a server may load its model anew for another one.
    """
    output = Collected()
    if len(profiles) > 1:
        try:
            await _ask(model, profiles, text, num_ctx, output)
        except ModelError as error:
            _log.warning("no agent can be chosen, the first one answers: %s", error)
    profile = parse_choice(output.text, profiles) or profiles[0]
    finished = output.finished
    body = {
        "agent": profile.name,
        "text": output.text[:MAX_OUTPUT],
        "model": f"{model.provider}/{model.name}",
        "prompt_tokens": finished.prompt_tokens if finished else 0,
        "completion_tokens": finished.completion_tokens if finished else 0,
    }
    return Choice(profile, body)


async def _ask(model: Model, profiles: Sequence[Profile], text: str, num_ctx: int, output: Collected) -> None:
    capabilities = await model.capabilities()
    room = min(num_ctx, capabilities.context_length or num_ctx)
    request = Request(choice_messages(profiles, text), room, CHOICE_TOKENS, schema=choice_schema(profiles))
    async with aclosing(model.stream(request)) as deltas:
        async for delta in deltas:
            output.add(delta)
            if len(output.text) > MAX_OUTPUT:
                return
