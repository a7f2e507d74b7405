"""agents.sessions.* and assistant.threads.*: the agent surface. Switch it off with `FakeSlack.refuse`.

Source: https://docs.slack.dev/ai/agent-sessions and https://docs.slack.dev/reference/methods/assistant.threads.setStatus
"""

from tests.fakes.slack.method import method
from tests.fakes.slack.refusals import Json, Mistake
from tests.fakes.slack.state import Session
from tests.fakes.slack.workspace import Thread, Workspace

STATUSES = {"active", "processing", "suspended", "closed"}
MAX_TITLE = 200
MAX_LOADING = 10
MAX_PROMPTS = 4
LOOKS = "username icon_emoji icon_url"


def set_session(team: Workspace, thread: Thread, status: str, title: str | None) -> Session:
    """The session of a thread, made if need be; a title counts only then."""
    session = team.sessions.setdefault(thread, Session(status, title))
    session.status = status
    session.history.append(status)
    team.hub.changes.tell()
    return session


def set_session_status(team: Workspace, args: Json) -> Json:
    if args["status"] not in STATUSES:
        raise Mistake("invalid_arguments", f"status is one of {sorted(STATUSES)}")
    _check_title(args)
    session = set_session(team, _thread(team, args), args["status"], args.get("title"))
    return {"status": session.status, "agent_status": session.status, "title": session.title}


def rename(team: Workspace, args: Json) -> Json:
    _check_title(args)
    thread = _thread(team, args)
    if thread not in team.sessions:
        raise Mistake("session_not_found", "there is no session to rename")
    team.sessions[thread].title = args["title"]
    team.hub.changes.tell()
    return {"title": args["title"]}


def set_status(team: Workspace, args: Json) -> Json:
    messages = args.get("loading_messages", [])
    if len(messages) > MAX_LOADING or not all(isinstance(message, str) for message in messages):
        raise Mistake("invalid_arguments", f"at most {MAX_LOADING} loading_messages, each a text")
    team.note_status(_thread(team, args), args["status"])
    return {}


def set_title(team: Workspace, args: Json) -> Json:
    _check_title(args)
    team.titles[_thread(team, args)] = args["title"]
    team.hub.changes.tell()
    return {}


def set_suggested_prompts(team: Workspace, args: Json) -> Json:
    prompts = args["prompts"]
    whole = all(isinstance(p, dict) and set(p) == {"title", "message"} and all(p.values()) for p in prompts)
    if not 1 <= len(prompts) <= MAX_PROMPTS or not whole:
        raise Mistake("invalid_arguments", f"1 to {MAX_PROMPTS} prompts with title and message")
    channel = team.writable(args["channel_id"])
    if "thread_ts" in args:
        team.thread_for(channel.id, args["thread_ts"])
    team.prompts[channel.id] = prompts
    team.hub.changes.tell()
    return {}


def _thread(team: Workspace, args: Json) -> Thread:
    channel = team.writable(args["channel_id"])
    if "thread_ts" not in args:
        raise Mistake("invalid_arguments", "thread_ts is needed in channels and direct messages")
    return channel.id, team.thread_for(channel.id, args["thread_ts"]).ts


def _check_title(args: Json) -> None:
    if len(args.get("title", "")) > MAX_TITLE:
        raise Mistake("invalid_arguments", f"a title has at most {MAX_TITLE} characters")


METHODS = (
    method(
        "agents.sessions.setStatus",
        set_session_status,
        f"channel_id! status! thread_ts title initiator_user_id {LOOKS}",
        scopes="chat:write",
    ),
    method("agents.sessions.rename", rename, "channel_id! title! thread_ts", scopes="chat:write"),
    method(
        "assistant.threads.setStatus",
        set_status,
        f"channel_id! thread_ts! status! loading_messages:list {LOOKS}",
        scopes="assistant:write chat:write",
    ),
    method("assistant.threads.setTitle", set_title, "channel_id! thread_ts! title!", scopes="assistant:write"),
    method(
        "assistant.threads.setSuggestedPrompts",
        set_suggested_prompts,
        "channel_id! prompts!:list thread_ts title",
        scopes="assistant:write",
    ),
)
