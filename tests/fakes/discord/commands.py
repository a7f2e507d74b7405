"""The application's commands, global (None) and per guild. 200 may be created a day."""

from tests.fakes.discord.errors import DiscordError
from tests.fakes.discord.snowflakes import Snowflakes
from tests.fakes.discord.state import Json

CREATES_PER_DAY = 200


class Commands:
    """`creates` counts new names; `writes` every PUT, POST, PATCH and DELETE."""

    def __init__(self, ids: Snowflakes, application_id: int) -> None:
        self.creates = 0
        self.writes = 0
        self._ids = ids
        self._application_id = application_id
        self._scopes: dict[int | None, dict[int, Json]] = {}

    def all(self, scope: int | None) -> list[Json]:
        return list(self._scopes.get(scope, {}).values())

    def find(self, guild: int | None, name: str) -> Json | None:
        """The command that a person in this guild reaches by its name: the guild's own goes first."""
        own = [] if guild is None else self.all(guild)
        return next((each for each in [*own, *self.all(None)] if each["name"] == name), None)

    def get(self, scope: int | None, number: int) -> Json:
        found = self._scopes.get(scope, {}).get(number)
        if found is None:
            raise DiscordError(10063)
        return found

    def put(self, scope: int | None, body: Json) -> tuple[Json, bool]:
        """The command, and whether it is new: one of the same name and type is replaced."""
        self.writes += 1
        old = self._same(scope, body)
        if old is None:
            self._count_create()
        command = self._command(scope, body, old)
        self._scopes.setdefault(scope, {})[int(command["id"])] = command
        return command, old is None

    def replace(self, scope: int | None, bodies: list[Json]) -> list[Json]:
        """Exactly these from now on; what keeps its name and type keeps its id."""
        self.writes += 1
        old = [self._same(scope, body) for body in bodies]
        for each in old:
            if each is None:
                self._count_create()
        commands = [self._command(scope, body, before) for body, before in zip(bodies, old, strict=True)]
        self._scopes[scope] = {int(each["id"]): each for each in commands}
        return commands

    def edit(self, scope: int | None, number: int, body: Json) -> Json:
        self.writes += 1
        old = self.get(scope, number)
        old |= {key: value for key, value in body.items() if key != "id"} | {"version": str(self._ids.next())}
        return old

    def delete(self, scope: int | None, number: int) -> None:
        self.writes += 1
        self.get(scope, number)
        del self._scopes[scope][number]

    def _count_create(self) -> None:
        if self.creates >= CREATES_PER_DAY:
            raise DiscordError(30034)
        self.creates += 1

    def _same(self, scope: int | None, body: Json) -> Json | None:
        kind = body.get("type") or 1
        return next((each for each in self.all(scope) if (each["name"], each["type"]) == (body["name"], kind)), None)

    def _command(self, scope: int | None, body: Json, old: Json | None) -> Json:
        permissions = body.get("default_member_permissions")
        command = {key: value for key, value in body.items() if value is not None and key != "id"} | {
            "id": old["id"] if old else str(self._ids.next()),
            "application_id": str(self._application_id),
            "version": str(self._ids.next()),
            "type": body.get("type") or 1,
            "description": body.get("description") or "",
            "default_member_permissions": None if permissions is None else str(permissions),
            "contexts": body.get("contexts"),
            "integration_types": body.get("integration_types") or [0],
            "nsfw": bool(body.get("nsfw")),
        }
        return command | ({"guild_id": str(scope)} if scope is not None else {})
