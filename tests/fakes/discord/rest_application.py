"""Routes about the bot itself: who it is, where the gateway is, which commands it has."""

from typing import Any

from tests.fakes.discord.calls import Answer, Call, Route
from tests.fakes.discord.commands import Commands
from tests.fakes.discord.encoding import Json, channel_json, own_guild_json, own_user_json, user_json
from tests.fakes.discord.errors import DiscordError
from tests.fakes.discord.gateway import Gateway, Portal
from tests.fakes.discord.intents import Intent
from tests.fakes.discord.world import World

APPLICATION = "/applications/{application_id}"
COMMANDS = f"{APPLICATION}/commands"
GUILD_COMMANDS = f"{APPLICATION}/guilds/{{guild_id}}/commands"
LIMITED_FLAGS = {Intent.GUILD_PRESENCES: 1 << 13, Intent.GUILD_MEMBERS: 1 << 15, Intent.MESSAGE_CONTENT: 1 << 19}


class ApplicationRoutes:
    def __init__(self, world: World, gateway: Gateway, portal: Portal, commands: Commands) -> None:
        self._world = world
        self._gateway = gateway
        self._portal = portal
        self._commands = commands

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/users/@me", lambda _: own_user_json(self._world.bot)),
            Route("GET", "/users/@me/guilds", self._guilds),
            Route("GET", "/users/{user_id}", self._user),
            Route("POST", "/users/@me/channels", self._open_dm),
            Route("GET", "/applications/@me", lambda _: self._application()),
            Route("GET", "/oauth2/applications/@me", lambda _: self._application()),
            Route("GET", "/gateway", lambda _: {"url": self._gateway.url}, open=True),
            Route("GET", "/gateway/bot", lambda _: self._bot_gateway()),
            *[route for path in (COMMANDS, GUILD_COMMANDS) for route in self._command_routes(path)],
        ]

    def _command_routes(self, path: str) -> list[Route]:
        one = f"{path}/{{command_id}}"
        return [
            Route("GET", path, lambda call: self._commands.all(self._scope(call))),
            Route("PUT", path, lambda call: self._commands.replace(self._scope(call), call.body or [])),
            Route("POST", path, self._create),
            Route("GET", one, lambda call: self._commands.get(self._scope(call), call.id("command_id"))),
            Route("PATCH", one, lambda call: self._commands.edit(self._scope(call), call.id("command_id"), call.body)),
            Route("DELETE", one, lambda call: self._commands.delete(self._scope(call), call.id("command_id"))),
        ]

    def _create(self, call: Call) -> Answer:
        command, new = self._commands.put(self._scope(call), call.body)
        return Answer(201 if new else 200, command)

    def _scope(self, call: Call) -> int | None:
        if call.id("application_id") != self._world.application_id:
            raise DiscordError(50001)
        return self._world.guild(call.id("guild_id")).id if "guild_id" in call.path else None

    def _user(self, call: Call) -> Json:
        user = self._world.users.get(call.id("user_id"))
        if user is None:
            raise DiscordError(10013)
        return user_json(user)

    def _guilds(self, call: Call) -> list[Json]:
        """Those the bot is in, by their ids; `before` is not known here."""
        bot, after = self._world.bot, int(call.query.get("after", "0"))
        found = sorted(each for each, guild in self._world.guilds.items() if each > after and bot.id in guild.members)
        page = found[: call.number("limit", 200, 1, 200)]
        return [own_guild_json(self._world.guilds[each].members[bot.id]) for each in page]

    def _open_dm(self, call: Call) -> Json:
        user = self._world.users.get(int(call.body["recipient_id"]))
        if user is None or user is self._world.bot:
            raise DiscordError(50033)
        return channel_json(self._world.dm(user), self._world.bot)

    def _application(self) -> dict[str, Any]:
        flags = sum(bit for intent, bit in LIMITED_FLAGS.items() if intent & self._portal.allowed_intents)
        empty: dict[str, Any] = dict.fromkeys(
            ("icon", "interactions_endpoint_url", "role_connections_verification_url")
        )
        counts = dict.fromkeys(("approximate_user_install_count", "approximate_user_authorization_count"), 0)
        return (
            empty
            | counts
            | {
                "id": str(self._world.application_id),
                "name": self._world.bot.name,
                "description": "",
                "type": None,
                "team": None,
                "bot": user_json(self._world.bot),
                "owner": user_json(self._world.owner),
                "bot_public": False,
                "bot_require_code_grant": False,
                "verify_key": "0" * 64,
                "flags": flags,
                "flags_new": str(flags),
                "redirect_uris": [],
                "approximate_guild_count": len(self._world.guilds),
                "explicit_content_filter": 0,
                "eligible_oauth2_scopes": [],
                "integration_types_config": {"0": {}},
            }
        )

    def _bot_gateway(self) -> dict[str, Any]:
        left = max(0, 1000 - self._gateway.counts.identifies)
        limit = {"total": 1000, "remaining": left, "reset_after": 86_400_000, "max_concurrency": 1}
        return {"url": self._gateway.url, "shards": self._portal.shards, "session_start_limit": limit}
