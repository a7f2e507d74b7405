"""A tool's JSON Schema, which a third party wrote, cut down to what can be checked and told without risk. Pure.

`reduced` is for checking: a tree of bounded size without references and without regular expressions, so that no schema
can keep the program busy. What is left out lets more arguments pass, and the server itself refuses those. `told` is
for models: smaller still, in the few words that every provider's grammars understand.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from gadgets.mcp.wording import told as told_text

MAX_NODES = 300
"""Schemas within one tool's schema."""
MAX_DEPTH = 8
MAX_HOPS = 8
"""References that lead to one another."""
MAX_CHOICES = 100
MAX_CHOICE = 100
"""Characters of one choice that a model is told of."""
MAX_ABOUT = 200
"""Characters of a parameter's description."""

Schema = dict[str, Any]

_TYPES = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_SEVERAL = ("anyOf", "oneOf", "allOf")
_NAME = re.compile(r"[A-Za-z0-9_$][A-Za-z0-9_.$-]{0,63}", re.ASCII)


def reduced(schema: Any) -> Schema:
    """What arguments are checked against. It is an object's, whatever the server says."""
    found = _Reader(schema).read(schema, 0)
    found["type"] = "object"
    found.setdefault("properties", {})
    return found


def tellable(schema: Schema) -> bool:
    """Whether all that a call needs has a name that can be told in a prompt."""
    return all(_NAME.fullmatch(name) for name in schema.get("required", ()))


def told(schema: Schema) -> Schema:
    """What a model is told of a reduced schema."""
    properties = {name: each for name, each in schema.get("properties", {}).items() if _NAME.fullmatch(name)}
    found: Schema = {"type": "object", "properties": {name: _told(each) for name, each in properties.items()}}
    if required := [name for name in schema.get("required", ()) if name in properties]:
        found["required"] = required
    if schema.get("additionalProperties") is False:
        found["additionalProperties"] = False
    return found


class _Reader:
    """Reads one schema and counts what it has read."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._left = MAX_NODES

    def read(self, node: Any, depth: int) -> Schema:
        """The schema without what is not understood; beyond the bounds one that everything fits."""
        self._left -= 1
        node = self._resolved(node)
        if not isinstance(node, Mapping) or self._left < 0 or depth > MAX_DEPTH:
            return {}
        found = _plain(node)
        if isinstance(items := node.get("items"), Mapping):
            found["items"] = self.read(items, depth + 1)
        for key in _SEVERAL:
            if isinstance(several := node.get(key), list) and several:
                found[key] = [self.read(each, depth + 1) for each in several[:MAX_CHOICES]]
        if isinstance(properties := node.get("properties"), Mapping):
            found["properties"] = self._properties(properties, depth)
        if "patternProperties" not in node and "additionalProperties" in node:
            found |= self._others(node["additionalProperties"], found, properties, depth)
        return found

    def _properties(self, properties: Mapping[str, Any], depth: int) -> Schema:
        return {name: self.read(each, depth + 1) for name, each in list(properties.items())[: max(0, self._left)]}

    def _others(self, others: Any, found: Schema, properties: Any, depth: int) -> Schema:
        """What is said of parameters that are not named; nothing, when some that are named were left out."""
        if isinstance(properties, Mapping) and len(found["properties"]) < len(properties):
            return {}
        return {"additionalProperties": others if isinstance(others, bool) else self.read(others, depth + 1)}

    def _resolved(self, node: Any) -> Any:
        """What references within the document lead to, with what stands beside them."""
        for _ in range(MAX_HOPS):
            if not isinstance(node, Mapping) or "$ref" not in node:
                return node
            target = _pointed(self._root, node["$ref"])
            beside = {key: value for key, value in node.items() if key != "$ref"}
            node = {**target, **beside} if isinstance(target, Mapping) else beside
        return {}


def _pointed(root: Any, reference: Any) -> Any:
    """What a JSON pointer (RFC 6901) such as `#/$defs/Place` points to; None for anything else."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    for name in reference.removeprefix("#").split("/")[1:]:
        name = name.replace("~1", "/").replace("~0", "~")  # noqa: PLW2901 - the same name, unescaped
        if not isinstance(root, Mapping) or name not in root:
            return None
        root = root[name]
    return root


def _plain(node: Mapping[str, Any]) -> Schema:
    """All that holds no other schema, each of the kind that it has to be."""
    found: Schema = {}
    types = _listed(node.get("type"))
    if types and all(isinstance(each, str) and each in _TYPES for each in types):
        found["type"] = node["type"]
    if isinstance(choices := node.get("enum"), list) and choices:
        found["enum"] = choices
    if isinstance(required := node.get("required"), list) and all(isinstance(each, str) for each in required):
        found["required"] = required
    found |= {key: node[key] for key in ("const", "default") if key in node}
    found |= {key: node[key] for key in _BOUNDS if _is_number(node.get(key))}
    found |= {key: node[key] for key in _COUNTS if _is_number(node.get(key)) and node[key] >= 0}
    if about := told_text(node.get("description"), MAX_ABOUT):
        found["description"] = about
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -math.inf < value < math.inf


def _told(node: Schema) -> Schema:
    node = _alone(node)
    found: Schema = {key: node[key] for key in ("minimum", "maximum", "description") if key in node}
    types = [each for each in _listed(node.get("type")) if each != "null"]
    if len(types) == 1:
        found["type"] = types[0]
    choices = node.get("enum", [node["const"]] if "const" in node else None)
    if choices and all(map(_is_short, choices)):
        found["enum"] = choices[:MAX_CHOICES]
    if "default" in node and node["default"] is not None and _is_short(node["default"]):
        found["default"] = node["default"]
    if found.get("type") == "object" and node.get("properties"):
        found |= told(node)
    if found.get("type") == "array":
        found["items"] = _told(node.get("items", {}))
    return found


def _alone(node: Schema) -> Schema:
    """An optional value is told as what it is when it is there."""
    for key in ("anyOf", "oneOf", "allOf"):
        several = [each for each in node.get(key, ()) if each.get("type") != "null"]
        if len(several) == 1:
            return {**several[0], **{name: value for name, value in node.items() if name != key}}
    return node


def _listed(types: Any) -> Sequence[Any]:
    return types if isinstance(types, list) else [types] if isinstance(types, str) else []


def _is_short(value: Any) -> bool:
    """Whether a choice can be told letter by letter."""
    if isinstance(value, str):
        return len(value) <= MAX_CHOICE and told_text(value, MAX_CHOICE) == value
    return isinstance(value, int | float | bool) or value is None
