"""What a request wants to be said: checked and decoded, before it becomes a message."""

import mimetypes
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.discord.calls import Upload
from tests.fakes.discord.errors import DiscordError, invalid, too_long
from tests.fakes.discord.permissions import P
from tests.fakes.discord.state import COMPONENTS_V2, Attachment, Channel, Json, Message, Role
from tests.fakes.discord.world import World

CONTENT_MAX = 2000
EMBEDS_MAX = 6000
SETTABLE_FLAGS = 1 << 2 | 1 << 6 | 1 << 12 | COMPONENTS_V2
USER = re.compile(r"<@!?(\d+)>")
ROLE = re.compile(r"<@&(\d+)>")


@dataclass(frozen=True, slots=True)
class Draft:
    """`attachments` are new files; `kept` the ids of earlier ones that an edit leaves, None for all."""

    content: str | None = None
    embeds: list[Json] | None = None
    components: list[Json] | None = None
    attachments: list[Attachment] = field(default_factory=list)
    kept: set[int] | None = None
    flags: int = 0
    pings: Json | None = None
    """allowed_mentions; None pings everybody who is named."""


class Drafts:
    def __init__(self, world: World) -> None:
        self._world = world

    def read(self, body: Json, files: Iterable[Upload], *, prefix: str = "") -> Draft:
        """Raises 50035, 40005. `prefix` is where in the request the message is, such as `data.`."""
        content = body.get("content")
        if content is not None and len(content) > CONTENT_MAX:
            raise too_long(f"{prefix}content", CONTENT_MAX)
        embeds = body.get("embeds")
        if sum(map(_embed_length, embeds or [])) > EMBEDS_MAX:
            raise invalid(f"{prefix}embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")
        components = body.get("components")
        flags = (body.get("flags") or 0) & SETTABLE_FLAGS
        if flags & COMPONENTS_V2 and (content or embeds):
            words = "The content and embeds fields cannot be used with IS_COMPONENTS_V2"
            raise invalid(f"{prefix}flags", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", words)
        new, kept = self._attachments(body.get("attachments"), tuple(files), prefix)
        return Draft(
            content,
            None if embeds is None else [{"type": "rich"} | each for each in embeds],
            None if components is None else self._components(components, prefix),
            new,
            kept,
            flags,
            body.get("allowed_mentions"),
        )

    def empty(self, draft: Draft) -> bool:
        said = draft.content is not None and draft.content.strip()
        return not (said or draft.embeds or draft.components or draft.attachments or draft.kept)

    def ping(self, message: Message, pings: Json | None) -> None:
        """Decide whom the text reaches. A reply pings its addressee unless `pings` says otherwise."""
        named = [
            self._world.users[int(each)] for each in USER.findall(message.content) if int(each) in self._world.users
        ]
        if message.reply_to and (pings is None or pings.get("replied_user")):
            named.append(message.reply_to.author)
            allowed = {message.reply_to.author.id}
        else:
            allowed = set()
        message.mentions = [
            each for each in dict.fromkeys(named) if each.id in allowed or _may(pings, "users", each.id)
        ]
        message.mention_roles = [each for each in self._roles(message) if _may(pings, "roles", each.id)]
        everyone = re.search(r"@(everyone|here)\b", message.content) is not None
        can = self._world.allowed(message.author, message.channel) & P.MENTION_EVERYONE
        message.mention_everyone = everyone and bool(can) and _may(pings, "everyone", 0)

    def _roles(self, message: Message) -> list[Role]:
        roles = message.channel.guild.roles if message.channel.guild else {}
        return [roles[int(each)] for each in dict.fromkeys(ROLE.findall(message.content)) if int(each) in roles]

    def _attachments(
        self, listed: list[Json] | None, files: tuple[Upload, ...], prefix: str
    ) -> tuple[list[Attachment], set[int] | None]:
        if any(len(each.data) > self._world.limits.file_bytes for each in files):
            raise DiscordError(40005)
        described = {int(each["id"]): each for each in listed or []}
        unknown = {number for number in described if number < 1000} - {each.index for each in files}
        if unknown:
            words = f"Attachment data not found, id: {min(unknown)}"
            raise invalid(f"{prefix}attachments", "ATTACHMENT_NOT_FOUND", words)
        new = [self.attachment(each.filename, each.data, described.get(each.index, {})) for each in files]
        return new, None if listed is None else {number for number in described if number >= 1000}

    def attachment(self, filename: str, data: bytes, described: Json | None = None) -> Attachment:
        described = described or {}
        name = re.sub(r"[^\w.\-]", "_", described.get("filename") or filename, flags=re.ASCII) or "unknown"
        media_type, _ = mimetypes.guess_type(name)
        if media_type is not None and media_type.startswith("text/"):
            media_type += "; charset=utf-8"
        return Attachment(self._world.ids.next(), name, data, media_type, described.get("description"))

    def _components(self, components: list[Json], prefix: str) -> list[Json]:
        """As they come back: numbered, without nulls. Raises 50035 where two have one custom id."""
        names = [each["custom_id"] for each in _walk(components) if each.get("custom_id")]
        if len(set(names)) < len(names):
            words = "Component custom id cannot be duplicated"
            raise invalid(f"{prefix}components", "COMPONENT_CUSTOM_ID_DUPLICATED", words)
        numbers = iter(range(1, 1000))
        return [_numbered(each, numbers) for each in components]


def reply_target(world: World, channel: Channel, reference: Json | None) -> Message | None:
    """The message that a reply refers to. Raises 50035, 160002."""
    if not reference:
        return None
    if int(reference.get("channel_id") or channel.id) != channel.id:
        words = "Cannot reply to a message in a different channel"
        raise invalid("message_reference", "REPLIES_CANNOT_REFERENCE_OTHER_CHANNEL", words)
    if not world.bot_may(channel, P.READ_MESSAGE_HISTORY):
        raise DiscordError(160002)
    found = channel.messages.get(int(reference["message_id"]))
    if found is None and reference.get("fail_if_not_exists", True):
        raise invalid("message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")
    if found is not None and found.kind not in {0, 19, 20}:
        words = "Cannot reply to a system message"
        raise invalid("message_reference", "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE", words)
    return found


def _may(pings: Json | None, kind: str, number: int) -> bool:
    if pings is None or kind in (pings.get("parse") or []):
        return True
    return str(number) in map(str, pings.get(kind) or [])


def _embed_length(embed: Json) -> int:
    texts = [embed.get("title"), embed.get("description"), (embed.get("footer") or {}).get("text")]
    texts += [(embed.get("author") or {}).get("name")]
    texts += [part for each in embed.get("fields") or [] for part in (each["name"], each["value"])]
    return sum(len(text) for text in texts if text)


def _walk(components: list[Json]) -> Iterator[Json]:
    for each in components:
        yield each
        yield from _walk(each.get("components") or [])


def _numbered(component: Json, numbers: Iterator[int]) -> Json:
    found: dict[str, Any] = {"id": next(numbers)} | {
        key: value for key, value in component.items() if value is not None
    }
    if "emoji" in found:
        found["emoji"] = {key: value for key, value in found["emoji"].items() if value is not None}
    if "components" in found:
        found["components"] = [_numbered(each, numbers) for each in found["components"]]
    if "accessory" in found:
        found["accessory"] = _numbered(found["accessory"], numbers)
    return found
