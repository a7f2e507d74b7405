"""A typed function's parameters as JSON Schema, and arguments validated against them.

The signature becomes a pydantic model once per function; schema and validation both come from that model, so they
cannot disagree. Supported parameter types: str, int, float, bool, Literal, Enum, list of these, Optional of these.
"""

import inspect
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from docstring_parser import Docstring, DocstringStyle, ParseError, parse
from pydantic import (
    AfterValidator,
    AllowInfNan,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
)
from pydantic_core import PydanticCustomError

from gadgets.context import Context
from gadgets.errors import BadArguments
from gadgets.problems import sentence

if TYPE_CHECKING:
    from gadgets.gadget import Gadget

Function = Callable[..., Any]


def docstring(function: Function) -> Docstring:
    """The function's docstring, taken apart: description, and `Args:` in Google's layout. Raises TypeError."""
    try:
        return parse(inspect.getdoc(function) or "", style=DocstringStyle.GOOGLE)
    except ParseError as exc:
        advice = "begin it with what the gadget does, and indent each `name: description` under `Args:`"
        raise TypeError(f"{function.__name__}: the docstring cannot be read; {advice}.") from exc


@cache
def takes_context(function: Function) -> bool:
    """Whether the first parameter is the call's `Context`, which no model fills in."""
    names = list(inspect.signature(function).parameters)
    return bool(names) and _hints(function).get(names[0]) is Context


@cache
def arguments_model(function: Function) -> type[BaseModel]:
    """The model of a function's arguments: field `p<n>` with the parameter's name as alias.

    The aliases keep names such as `json` or `copy`, which pydantic models use themselves, free for parameters.
    Raises TypeError when a parameter has no type, or one that has no place in a gadget's schema.
    """
    described = {each.arg_name: each.description for each in docstring(function).params}
    parameters = _parameters(function)
    if unknown := sorted(described.keys() - {each.name for each in parameters}):
        raise TypeError(f"{function.__name__}: the docstring describes `{unknown[0]}`; name an existing parameter.")
    hints = _hints(function)
    fields: dict[str, Any] = {
        f"p{place}": _field(function, each, hints, described.get(each.name)) for place, each in enumerate(parameters)
    }
    config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)
    return create_model(function.__name__, __config__=config, **fields)


def json_schema(function: Function) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a function's arguments, as small as it can be said.

    Titles are left out, enumerations are written in place, and an optional parameter is one that is not required:
    `null` stays out of the schema, because a small model that may write it does.
    """
    schema = arguments_model(function).model_json_schema(by_alias=True)
    definitions = schema.pop("$defs", {})
    plain: dict[str, Any] = _plain(schema, definitions)
    plain.setdefault("properties", {})
    return plain


def validate(gadget: "Gadget", arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The function's keyword arguments, defaults included. Text that is a number is taken as one where one is due.

    Raises BadArguments with one sentence that names each parameter and its problem.
    """
    if gadget.check is not None:
        return gadget.check(arguments)
    if not isinstance(arguments, Mapping):
        raise BadArguments(f"The arguments of {gadget.name} must be a JSON object.")
    model = arguments_model(gadget.function)
    try:
        values = model.model_validate(dict(arguments))
    except ValidationError as exc:
        problems = exc.errors(include_url=False, include_input=False)
        raise BadArguments(sentence(gadget.name, gadget.parameters["properties"], problems)) from None
    return {str(info.alias): getattr(values, name) for name, info in model.model_fields.items()}


def _hints(function: Function) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as exc:
        raise TypeError(f"{function.__name__}: the type `{exc.name}` is unknown; import it in its module.") from exc


def _parameters(function: Function) -> list[inspect.Parameter]:
    parameters = list(inspect.signature(function).parameters.values())
    return parameters[1:] if takes_context(function) else parameters


def _field(function: Function, parameter: inspect.Parameter, hints: dict[str, Any], text: str | None) -> Any:
    where = f"{function.__name__}: parameter `{parameter.name}`"
    if parameter.kind not in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}:
        raise TypeError(f"{where} cannot be passed by name; make it an ordinary parameter.")
    if parameter.name not in hints:
        raise TypeError(f"{where} has no type; annotate it, such as `{parameter.name}: str`.")
    default = ... if parameter.default is parameter.empty else parameter.default
    description = " ".join((text or "").split()) or None
    return _strict(hints[parameter.name], where), Field(default, alias=parameter.name, description=description)


def _strict(annotation: Any, where: str) -> Any:
    """The annotation with what JSON from a model needs on top: no bool as a number, no NaN, case-blind choices."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = _strict(arguments[0], where)
        ours = getattr(inner, "__metadata__", ())  # last, so that bounds stay on the bare type and in its schema
        return Annotated[get_args(inner)[0] if ours else inner, *annotation.__metadata__, *ours]
    if origin is list:
        return list[_strict(arguments[0], where)]  # type: ignore[misc]
    if origin in {Union, UnionType} and len(arguments) == 2 and NoneType in arguments:
        (wrapped,) = (each for each in arguments if each is not NoneType)
        optional = _strict(wrapped, where) | None
        return optional if wrapped is str else Annotated[optional, BeforeValidator(_nothing)]
    if origin is Literal and all(isinstance(each, str) for each in arguments):
        return Annotated[annotation, BeforeValidator(_choice(arguments))]
    if annotation is int:
        return Annotated[int, BeforeValidator(_not_bool)]
    if annotation is float:
        return Annotated[float, BeforeValidator(_not_bool), AllowInfNan(False)]
    if annotation is str:
        return Annotated[str, AfterValidator(_encodable)]
    if annotation is bool or origin is Literal or _is_enum(annotation):
        return annotation
    raise TypeError(
        f"{where} has a type that a model cannot fill in; use str, int, float, bool, Literal, Enum, list or Optional."
    )


def _is_enum(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Enum)


def _not_bool(value: Any) -> Any:
    """JSON's true is not 1: a model that writes it has misunderstood the parameter."""
    if isinstance(value, bool):
        raise PydanticCustomError("number_expected", "must be a number, not true or false")
    return value


def _encodable(value: str) -> str:
    """Half of a surrogate pair, which JSON can escape, cannot be sent or stored anywhere."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("string_unicode", "must be valid Unicode text") from None
    return value


def _nothing(value: Any) -> Any:
    """Small models write an absent value as text."""
    return None if isinstance(value, str) and value.strip().casefold() in {"", "null", "none"} else value


def _choice(choices: tuple[str, ...]) -> Callable[[Any], Any]:
    folded = {each.casefold(): each for each in choices}

    def match(value: Any) -> Any:
        return folded.get(value.strip().casefold(), value) if isinstance(value, str) else value

    return match


def _plain(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_plain(each, definitions) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        node = definitions[node["$ref"].rpartition("/")[2]] | {k: v for k, v in node.items() if k != "$ref"}
    if "anyOf" in node:  # only Optional makes one
        (inner,) = (each for each in node["anyOf"] if each != {"type": "null"})
        rest = {key: value for key, value in node.items() if key != "anyOf"}
        if rest.get("default", ...) is None:
            del rest["default"]
        return _plain(inner | rest, definitions)
    return {key: _entry(key, value, definitions) for key, value in node.items() if key != "title"}


def _entry(key: str, value: Any, definitions: dict[str, Any]) -> Any:
    if key == "properties":  # its keys are parameter names, and one may be called `title`
        return {name: _plain(each, definitions) for name, each in value.items()}
    return value if key in {"default", "enum", "const", "required"} else _plain(value, definitions)
