"""Is it what Discord's OpenAPI description says? The file is Discord's own: github.com/discord/discord-api-spec.

Its place comes from SECRET_AGENTS_TEST_DATA; where it is absent nothing is checked. Three things the description does
not say are known of the real API: ids in requests may be numbers, the reasons inside a 50035 are words, and the
reference of a forwarded message has the type 1.
"""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from tests.fakes.discord.state import Json

ROOT = Path(__file__).parents[3]
SNOWFLAKE = "SnowflakeType"


class Schema:
    """Validators of the description in `path`, compiled when first used."""

    def __init__(self, path: Path) -> None:
        self._description: Json = json.loads(path.read_text("utf-8"))
        self._description["components"]["schemas"]["MessageReferenceType"]["oneOf"].append({"const": 1})
        self._incoming = _with_loose_ids(self._description["components"])
        self._validators: dict[tuple[str, bool], jsonschema_rs.Draft202012Validator] = {}

    def request_error(self, method: str, template: str, body: Any) -> str | None:
        """What is wrong with a request's JSON, or None. `template` is the description's path."""
        content = self._operation(method, template).get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            return None
        pointer = f"{_pointer(method, template)}/requestBody/content/application~1json/schema"
        return self._error(pointer, body, incoming=True)

    def response_error(self, method: str, template: str, status: int, body: Any) -> str | None:
        answer = self._operation(method, template)["responses"].get(str(status))
        if answer is None:
            return f"no status {status} is described"
        if "application/json" not in answer.get("content", {}):
            return None if body is None else "a body where none is described"
        pointer = f"{_pointer(method, template)}/responses/{status}/content/application~1json/schema"
        return self._error(pointer, body, incoming=False)

    def object_error(self, name: str, value: Any) -> str | None:
        """What is wrong with `value` as the described object `name`, such as MessageResponse."""
        return self._error(f"#/components/schemas/{name}", value, incoming=False)

    def _operation(self, method: str, template: str) -> Json:
        operation: Json = self._description["paths"][template][method.lower()]
        return operation

    def _error(self, pointer: str, value: Any, *, incoming: bool) -> str | None:
        key = (pointer, incoming)
        if key not in self._validators:
            self._validators[key] = self._compile(pointer, incoming=incoming)
        error = next(iter(self._validators[key].iter_errors(value)), None)
        return None if error is None else f"at /{'/'.join(map(str, error.instance_path))}: {error.message[:600]}"

    def _compile(self, pointer: str, *, incoming: bool) -> jsonschema_rs.Draft202012Validator:
        components = self._incoming if incoming else self._description["components"]
        document = {"$ref": pointer, "paths": self._description["paths"], "components": components}
        return jsonschema_rs.Draft202012Validator(document, validate_formats=True)


def _pointer(method: str, template: str) -> str:
    return f"#/paths/{template.replace('/', '~1').replace('{', '%7B').replace('}', '%7D')}/{method.lower()}"


def _with_loose_ids(components: Json) -> Json:
    loose = {"type": ["string", "integer"], "pattern": "^(0|[1-9][0-9]*)$"}
    return components | {"schemas": components["schemas"] | {SNOWFLAKE: loose}}


@cache
def discords_own() -> Schema | None:
    """The description in the test data; None where it is absent."""
    data = Path(os.environ.get("SECRET_AGENTS_TEST_DATA", str(ROOT.parent / "shared" / "data")))
    path = data / "discord-openapi.json"
    return Schema(path) if path.is_file() else None
