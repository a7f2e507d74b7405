"""response_url: five messages within thirty minutes, seen by one person unless said otherwise.

Source: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

import json
import uuid
from dataclasses import dataclass, field

from aiohttp import web

from tests.fakes.slack.refusals import Json, Mistake, Refusal
from tests.fakes.slack.state import Message
from tests.fakes.slack.web_api_messages import check_content, written
from tests.fakes.slack.workspace import Workspace

USES = 5
SECONDS = 1800.0
KNOWN = {
    "attachments",
    "blocks",
    "delete_original",
    "metadata",
    "replace_original",
    "response_type",
    "text",
    "thread_ts",
    "unfurl_links",
    "unfurl_media",
}


@dataclass(slots=True, eq=False)
class ResponseUrl:
    """`posts` are the bodies that came, `shown` the messages they made or changed. `original`: what was clicked."""

    url: str
    team: Workspace
    channel: str
    user: str
    original: Message | None
    made: float
    posts: list[Json] = field(default_factory=list)
    shown: list[Message] = field(default_factory=list)

    def use(self, body: Json) -> None:
        """Raises Refusal, or Mistake where no such body makes sense."""
        if self.team.hub.clock.now() - self.made > SECONDS:
            raise Refusal("expired_url")
        if len(self.posts) >= USES:
            raise Refusal("used_url")
        if unknown := body.keys() - KNOWN:
            raise Mistake("invalid_payload", f"no such field: {sorted(unknown)}")
        check_content(body, needed=not body.get("delete_original"))
        self.posts.append(body)
        self._apply(body)
        self.team.hub.changes.tell()

    def _apply(self, body: Json) -> None:
        if body.get("delete_original"):
            self._delete()
        elif body.get("replace_original") and self.original is not None:
            self._replace(self.original, body)
        else:
            self._post(body)

    def _delete(self) -> None:
        if self.original is None:
            raise Mistake("invalid_payload", "delete_original without an original")
        self.team.withdraw(self.original)

    def _replace(self, original: Message, body: Json) -> None:
        """Unlike chat.update this reaches ephemeral messages, too; what is not given goes."""
        self.team.revise(original, {"text": body.get("text", ""), "blocks": body.get("blocks", []), "markdown": None})
        self.shown.append(original)

    def _post(self, body: Json) -> None:
        message = written(self.team, body, self.channel)
        if body.get("response_type", "ephemeral") != "in_channel":
            message.ephemeral_to = self.user
        self.shown.append(self.team.publish(message))


class ResponseUrls:
    """Every response_url given out, by its secret part."""

    def __init__(self, violations: list[str]) -> None:
        self._urls: dict[str, ResponseUrl] = {}
        self._violations = violations

    def make(self, team: Workspace, channel: str, user: str, original: Message | None = None) -> ResponseUrl:
        key = uuid.uuid4().hex
        url = f"{team.hub.base}/actions/{team.id}/{key}"
        self._urls[key] = ResponseUrl(url, team, channel, user, original, team.hub.clock.now())
        return self._urls[key]

    async def handle(self, request: web.Request) -> web.Response:
        found = self._urls.get(request.match_info["key"])
        if found is None:
            return web.json_response({"ok": False, "error": "no_such_url"}, status=404)
        try:
            found.use(_body(await request.text()))
        except Mistake as mistake:
            self._violations.append(f"response_url: {mistake.error}: {mistake.why}")
            return web.json_response(mistake.body(), status=400)
        except Refusal as refusal:
            return web.json_response(refusal.body(), status=404)
        return web.Response(text="ok", content_type="text/plain")


def _body(text: str) -> Json:
    try:
        body = json.loads(text)
    except ValueError:
        raise Mistake("invalid_payload", "the body is no JSON") from None
    if not isinstance(body, dict):
        raise Mistake("invalid_payload", "the body is no JSON object")
    return body
