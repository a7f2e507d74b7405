"""All settings in one frozen value."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, Field, GetCoreSchemaHandler, model_validator
from pydantic_core import CoreSchema, core_schema
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.agent.roster import AUTO
from bot.settings.agents import AGENT_NAME, QUARTERMASTER, SHIPPED, Agent
from bot.settings.authority import Admins, CommandRoles, Members, Operators
from bot.settings.mcp import GadgetServer, ServerName, server_of
from bot.settings.retention import Retention
from bot.settings.sections import (
    OPENAI_URL,
    Discord,
    Embedded,
    Limits,
    Log,
    ModelChoice,
    Ollama,
    OpenAI,
    Slack,
    Storage,
    Web,
    key_problems,
)
from bot.settings.suggestion import suggestion


def gadget_models() -> dict[str, type[BaseModel]]:
    """The model of every gadget's table. Imports the gadgets, and so is asked only when settings are loaded."""
    from gadgets.catalogue import ALL  # noqa: PLC0415 - gadgets are more than importing this should cost
    from gadgets.policy import table_model  # noqa: PLC0415 - likewise

    return {each.name: table_model(each) for each in ALL}


class _GadgetTables:
    """`[gadgets.<name>]`: a table per gadget of the catalogue, each validated by the gadget's own model."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        models = gadget_models()
        tables = {
            name: core_schema.typed_dict_field(handler.generate_schema(model), required=False)
            for name, model in models.items()
        }

        def complete(given: dict[str, BaseModel]) -> dict[str, BaseModel]:
            return {name: given.get(name) or model() for name, model in models.items()}

        schema = core_schema.typed_dict_schema(tables, extra_behavior="forbid")
        return core_schema.no_info_after_validator_function(complete, schema)


def _agent_name(name: str) -> str:
    if not re.fullmatch(AGENT_NAME, name):
        raise ValueError("must be a lower-case name: a letter, then letters, digits, - or _, 32 at most")
    if name == AUTO:
        raise ValueError(f'must have another name: agent = "{AUTO}" lets the model choose an agent')
    return name


AgentName = Annotated[str, AfterValidator(_agent_name)]


class Settings(BaseSettings):
    """Everything that can be set. `bot.settings.load` reads it; a bare `Settings()` is the defaults."""

    # defer_build: the gadgets are asked for their settings when the first value is validated, not at import.
    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        use_attribute_docstrings=True,
        defer_build=True,
        protected_namespaces=(),
    )

    agent: str = QUARTERMASTER
    """Who answers when nobody asks for another agent; "auto": the model chooses by the first message of a mission."""
    storage: Storage = Storage()
    model: ModelChoice = ModelChoice()
    ollama: Ollama = Ollama()
    openai: OpenAI = OpenAI()
    embedded: Embedded = Embedded()
    discord: Discord = Discord()
    slack: Slack = Slack()
    web: Web = Web()
    agents: Mapping[AgentName, Agent] = Field(default_factory=lambda: dict[str, Any](SHIPPED), validate_default=True)
    gadgets: Annotated[Mapping[str, BaseModel], _GadgetTables] = Field(default_factory=dict, validate_default=True)
    mcp: Mapping[ServerName, GadgetServer] = Field(default_factory=dict)
    limits: Limits = Limits()
    admins: Admins = Admins()
    operators: Operators = Operators()
    members: Members = Members()
    commands: CommandRoles = CommandRoles()
    retention: Retention = Retention()
    log: Log = Log()

    @model_validator(mode="after")
    def _agent_exists(self) -> Self:
        if self.agent not in {*self.agents, AUTO}:
            text = f"names an agent that does not exist{suggestion(self.agent, self.agents)}"
            raise key_problems({"agent": text})
        return self

    @model_validator(mode="after")
    def _gadget_servers_exist(self) -> Self:
        known = [*self.gadgets, *(f"{server}_*" for server in self.mcp)]
        wrong = {}
        for name, agent in self.agents.items():
            for gadget in agent.gadgets:
                if gadget not in self.gadgets and (server := server_of(gadget)) and server not in self.mcp:
                    text = f"names a gadget that does not exist, {gadget[:40]!r}{suggestion(gadget, known)}"
                    wrong[f"agents.{name}.gadgets"] = text
        if wrong:
            raise key_problems(wrong)
        return self

    @model_validator(mode="after")
    def _embedded_is_the_only_model(self) -> Self:
        if self.model.provider == "embedded":
            text = 'must be empty while [model] provider is "embedded": that is one model'
            if wrong := {f"agents.{name}.model": text for name, agent in self.agents.items() if agent.model}:
                raise key_problems(wrong)
        return self

    @model_validator(mode="after")
    def _openai_has_its_key(self) -> Self:
        needs = self.model.provider == "openai" and self.openai.base_url == OPENAI_URL
        if needs and self.openai.api_key is None:
            raise key_problems(
                {"openai.api_key": 'is missing; set OPENAI_API_KEY in .env, or base_url = "your server"'}
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is given: `load` reads files and environment itself, so that each mistake is one clear line."""
        return (init_settings,)
