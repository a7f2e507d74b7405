"""auth.test, api.test, users.info, bots.info, views.open.

Source: https://docs.slack.dev/reference/methods
"""

from tests.fakes.slack.blocks import check_blocks
from tests.fakes.slack.method import method
from tests.fakes.slack.refusals import Json, Mistake, Refusal
from tests.fakes.slack.wire import user_json
from tests.fakes.slack.workspace import Workspace

TRIGGER_SECONDS = 3.0
MAX_VIEW_BLOCKS = 100
MAX_VIEW_TITLE = 24


def auth_test(team: Workspace, args: Json) -> Json:
    return {
        "url": f"https://{team.domain}.slack.com/",
        "team": team.domain.title(),
        "user": team.users[team.bot_user].name,
        "team_id": team.id,
        "user_id": team.bot_user,
        "bot_id": team.bot_id,
        "is_enterprise_install": False,
    }


def api_test(team: Workspace, args: Json) -> Json:
    if "error" in args:
        raise Refusal(args["error"])
    return {"args": args}


def users_info(team: Workspace, args: Json) -> Json:
    if args["user"] not in team.users:
        raise Refusal("user_not_found")
    return {"user": user_json(team, team.users[args["user"]])}


def bots_info(team: Workspace, args: Json) -> Json:
    if args.get("bot", team.bot_id) != team.bot_id:
        raise Refusal("bot_not_found")
    name = team.users[team.bot_user].name
    return {
        "bot": {
            "id": team.bot_id,
            "deleted": False,
            "name": name,
            "updated": 1_700_000_000,
            "app_id": team.hub.app_id,
            "user_id": team.bot_user,
            "icons": {},
        }
    }


def views_open(team: Workspace, args: Json) -> Json:
    """A trigger opens one view within three seconds."""
    given = team.hub.triggers.pop(args["trigger_id"], None)
    if given is None:
        raise Refusal("invalid_trigger_id")
    if team.hub.clock.now() - given > TRIGGER_SECONDS:
        raise Refusal("expired_trigger_id")
    view = args["view"]
    title = view.get("title", {})
    if view.get("type") != "modal" or not 1 <= len(title.get("text", "")) <= MAX_VIEW_TITLE:
        raise Mistake("invalid_arguments", f"a modal with a title of 1 to {MAX_VIEW_TITLE} characters is needed")
    check_blocks(view.get("blocks", []), limit=MAX_VIEW_BLOCKS)
    opened = view | {"id": team.hub.next_id("V"), "team_id": team.id, "app_id": team.hub.app_id}
    team.views.append(opened)
    team.hub.changes.tell()
    return {"view": opened}


METHODS = (
    method("api.test", api_test, "error", tier=4),
    method("auth.test", auth_test, tier=4),
    method("users.info", users_info, "user! include_locale:bool", scopes="users:read", tier=4, json=False),
    method("bots.info", bots_info, "bot", scopes="users:read", json=False),
    method("views.open", views_open, "trigger_id! view!:dict", tier=4),
)
