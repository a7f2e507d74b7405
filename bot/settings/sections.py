"""The sections of config.toml as models: types, ranges and defaults. A docstring is the comment in the file.

Every section is frozen, refuses unknown keys and converts nothing: `port = "8321"` is a mistake in a file. Text from
the environment is converted where it is read (see `bot.settings.sources`).
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from bot.addresses import OLLAMA_PORT, is_loopback, ollama_url

OPENAI_URL = "https://api.openai.com/v1"
MIN_ACCESS_TOKEN = 16
"""Characters; shorter tokens can be guessed."""


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


def key_problems(problems: Mapping[str, str]) -> PydanticCustomError:
    """An error of a section that says what is wrong with which of its keys (`key`, or `section.key`)."""
    return PydanticCustomError("keys", "Some keys do not fit together.", {"problems": dict(problems)})


def _url(*schemes: str, empty: bool = False) -> AfterValidator:
    def check(value: str) -> str:
        parts = _split(value)
        if not (empty and not value) and (parts is None or parts[0] not in schemes or not parts[1]):
            raise ValueError(f"must be a URL that begins with {' or '.join(f'{each}://' for each in schemes)}")
        return value.rstrip("/")

    return AfterValidator(check)


def _split(url: str) -> tuple[str, str] | None:
    """Scheme and host, or None for what is no URL."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts.scheme, parts.hostname or ""


def _ollama_host(value: str) -> str:
    try:
        return ollama_url(value)
    except ValueError as error:
        raise ValueError(f"must be a URL such as http://127.0.0.1:{OLLAMA_PORT}") from error


def _storage_url(value: str) -> str:
    scheme, mark, rest = value.partition(":///" if value.startswith("sqlite") else "://")
    if not mark or not rest or scheme not in {"sqlite", "postgresql"}:
        raise ValueError("must be a URL such as sqlite:///data/secret-agents.db")
    return value


def auto_is_none(value: Any) -> Any:
    return None if value == "auto" else value


Seconds = Annotated[float, Field(gt=0, le=86_400)]
Count = Annotated[int, Field(ge=1, le=10_000_000)]
Rate = Annotated[int, Field(ge=0, le=10_000)]
Tokens = Annotated[int, Field(ge=0, le=10**15)]
Snowflakes = Annotated[
    tuple[Annotated[str, Field(pattern=r"^[0-9]{1,20}$")], ...], Field(strict=False)
]  # Discord's ids
Texts = Annotated[tuple[str, ...], Field(strict=False)]  # a list in the file; items stay strict
Temperature = Annotated[float, Field(ge=0, le=2)]
Switch = Annotated[bool | None, BeforeValidator(auto_is_none)]
"""True, False, or `"auto"`, which is None here."""


class Storage(Section):
    """Where conversations are kept."""

    url: Annotated[str, AfterValidator(_storage_url)] = "sqlite:///data/secret-agents.db"
    """sqlite:///relative/path.db or sqlite:////absolute/path.db."""


class ModelChoice(Section):
    """The language model."""

    provider: Literal["auto", "ollama", "openai", "embedded"] = "auto"
    """auto: Ollama if it answers, else the embedded model. openai: any server that speaks its protocol."""
    name: str = ""
    """The model's name at its provider, such as "qwen3:8b"; empty: the provider's choice."""
    protocol: Literal["auto", "json", "native"] = "auto"
    """How gadgets are asked for: json (works with small models), native (function calling), auto: by the model."""
    vision: Switch = None
    """Whether the model is shown the images that people send: true, false, or "auto": if its server says that it sees.
    Ollama and OpenRouter do; with other servers set true for a model that sees. The embedded model cannot see."""
    num_ctx: Annotated[int, Field(ge=512, le=10_000_000)] = 8192
    """Context window in tokens, prompt and answer together."""
    max_tokens: Count = 1024
    """Tokens of one answer at most."""
    temperature: Temperature = 0.3
    """0 answers the same way every time; 2 is the wildest."""
    first_token_seconds: Seconds = 120
    """How long to wait for an answer to begin."""
    idle_seconds: Seconds = 60
    """How long an answer may pause in the middle."""


class Ollama(Section):
    """An Ollama server."""

    host: Annotated[str, AfterValidator(_ollama_host)] = f"http://127.0.0.1:{OLLAMA_PORT}"
    """Its address. The environment variable OLLAMA_HOST is read too."""
    keep_alive: str = "30m"
    """How long Ollama keeps the model in memory after an answer."""


class OpenAI(Section):
    """A server that speaks OpenAI's chat completions."""

    base_url: Annotated[str, _url("http", "https")] = OPENAI_URL
    """Its address, up to and without /chat/completions."""
    api_key: SecretStr | None = None
    """The key for it; servers of your own may need none."""


class Embedded(Section):
    """The model inside this program, for machines without Ollama."""

    size: Literal["auto", "large", "small"] = "auto"
    """large: 1.5B parameters, small: 0.5B, auto: by the free memory."""
    cache_dir: str = ""
    """Folder of the weights; empty: the user's cache folder."""
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    """Processor threads; 0: as many as there are cores."""
    fetch: bool = True
    """Whether missing weights are downloaded when the model is first needed (1.1 GB or 0.5 GB)."""


class Discord(Section):
    """Discord. Ids are in quotes, as Discord shows them (Copy ID in developer mode). A deny list beats every allow
    list; an empty allow list allows everyone.
    """

    enabled: Switch = None
    """true, false, or "auto": on when a token is present."""
    token: SecretStr | None = None
    """The bot's token."""
    api_url: Annotated[str, _url("http", "https", empty=True)] = ""
    """Address of the REST API, for a proxy or a test server; empty: Discord's."""
    gateway_url: Annotated[str, _url("ws", "wss", empty=True)] = ""
    """Address of the gateway, for a proxy or a test server; empty: Discord's."""
    direct_messages: bool = True
    """Whether direct messages are answered."""
    answer_bots: bool = False
    """Whether other bots and webhooks are answered. Two bots can talk to each other for ever."""
    allow_users: Snowflakes = ()
    """Who may talk to the bot; those with a role of allow_roles may as well."""
    allow_roles: Snowflakes = ()
    """Roles that may talk to the bot. While a role list is set, direct messages are only for allow_users."""
    allow_channels: Snowflakes = ()
    """Channels, or categories, in which it answers."""
    allow_guilds: Snowflakes = ()
    """Servers in which it answers."""
    deny_users: Snowflakes = ()
    """Who may not talk to the bot."""
    deny_roles: Snowflakes = ()
    """Roles that may not talk to the bot."""
    deny_channels: Snowflakes = ()
    """Channels, or categories, in which it is silent."""
    deny_guilds: Snowflakes = ()
    """Servers in which it is silent."""
    operator_roles: Snowflakes = ()
    """Roles whose people may use what is for operators, in the server that has the role."""
    member_roles: Snowflakes = ()
    """Roles whose people may use what is for members, in the server that has the role."""
    max_parts: Annotated[int, Field(ge=1, le=20)] = 5
    """An answer of more messages than this becomes its first message and a file."""
    catch_up_hours: Annotated[int, Field(ge=0, le=14 * 24)] = 24
    """How old a question may be that is answered after the bot was away; 0: such questions are not looked for."""
    catch_up_messages: Annotated[int, Field(ge=1, le=10_000)] = 500
    """How many messages of a channel are read at most to find such questions."""

    @property
    def on(self) -> bool:
        return self.token is not None if self.enabled is None else self.enabled

    @model_validator(mode="after")
    def _has_its_secrets(self) -> Self:
        if self.on and self.token is None:
            raise key_problems({"token": "is missing; set DISCORD_TOKEN in .env, or enabled = false"})
        return self


class Slack(Section):
    """Slack."""

    enabled: Switch = None
    """true, false, or "auto": on when a bot token is present."""
    mode: Literal["socket", "http"] = "socket"
    """socket: this program connects to Slack. http: Slack calls POST /slack/events here."""
    public_url: Annotated[str, _url("https", empty=True)] = ""
    """For mode = "http": where Slack reaches this program, such as "https://bot.example.org"."""
    api_url: Annotated[str, _url("http", "https", empty=True)] = ""
    """Address of the Web API, for a proxy or a test server; empty: Slack's."""
    bot_token: SecretStr | None = None
    """The bot's token, xoxb-…"""
    app_token: SecretStr | None = None
    """The app's token, xapp-…, for mode = "socket"."""
    signing_secret: SecretStr | None = None
    """Proves that a request comes from Slack, for mode = "http"."""
    answer_bots: bool = False
    """Whether other bots are answered. Two bots can talk to each other for ever."""
    max_parts: Annotated[int, Field(ge=1, le=20)] = 3
    """An answer of more messages than this (12,000 characters each) becomes its first message and a file."""

    @property
    def on(self) -> bool:
        return self.bot_token is not None if self.enabled is None else self.enabled

    @model_validator(mode="after")
    def _has_its_secrets(self) -> Self:
        needed = ["bot_token", "app_token" if self.mode == "socket" else "signing_secret"]
        text = "is missing; set SLACK_{} in .env, or enabled = false"
        missing = {key: text.format(key.upper()) for key in needed if self.on and getattr(self, key) is None}
        if missing:
            raise key_problems(missing)
        return self


class Web(Section):
    """The page in the browser."""

    enabled: bool = True
    """Whether `secret-agents run` serves it."""
    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    """Address to listen on. Any other than this machine's own needs an access token."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8321
    """Port to listen on; 0: any free one."""
    allowed_hosts: Texts = ()
    """Further names under which browsers may open the page, such as "bot.example.org"."""
    access_token: Annotated[SecretStr | None, Field(min_length=MIN_ACCESS_TOKEN)] = None
    """What a browser must present before it may chat; at least 16 characters."""
    metrics: bool = True
    """Whether GET /metrics has the bot's figures for Prometheus. Without an access token only programs of this machine
    may read them; with one, whoever sends it as `Authorization: Bearer`, and browsers that are logged in."""

    @model_validator(mode="after")
    def _is_guarded(self) -> Self:
        if self.enabled and not is_loopback(self.host) and self.access_token is None:
            text = "is missing while host is open to others; set SECRET_AGENTS_WEB__ACCESS_TOKEN in .env to 16 or more"
            raise key_problems({"access_token": f'{text} random characters, or host = "127.0.0.1"'})
        return self


class Limits(Section):
    """What one message may cost, and how much one person, or all people of one workspace together, may ask."""

    messages_per_minute: Rate = 20
    """How many messages one person may send in a minute; 0: as many as they like. Who sends more is told when to come
    back. Nobody types so fast; programs do."""
    workspace_messages_per_minute: Rate = 300
    """The same for all people of a Discord server, a Slack workspace, or the page together. Direct messages are counted
    as one workspace of their own."""
    tokens_per_day: Tokens = 5_000_000
    """How many tokens, of prompts and answers, one person may use in a day (UTC); 0: as many as they like. A message
    takes about 2,000 to 20,000, depending on num_ctx and the gadgets: this is far beyond a day's conversation."""
    workspace_tokens_per_day: Tokens = 50_000_000
    """The same for a workspace."""
    exempt_admins: bool = True
    """Whether these four limits are not for admins: those of [admins], those by their role in the server or workspace,
    and whoever uses the terminal."""
    message_characters: Annotated[int, Field(ge=1, le=200_000)] = 16_000
    """Characters of a message; longer ones are refused."""
    attachment_bytes: Count = 5_000_000
    """Bytes of an attached file; larger ones are only named to the model. Of texts no more than 200,000 are read."""
    answer_characters: Count = 32_000
    """Characters of an answer; longer ones are cut."""
    turn_seconds: Seconds = 300
    """How long one message may take until its answer is complete."""
    rounds: Annotated[int, Field(ge=1, le=100)] = 4
    """How often the model may ask for gadgets per message."""
    calls_per_round: Annotated[int, Field(ge=1, le=100)] = 8
    """How many gadgets it may ask for at once."""
    window_turns: Annotated[int, Field(ge=0, le=10_000)] = 40
    """How many earlier messages the model is reminded of, as far as they fit its context window."""
    attempts: Annotated[int, Field(ge=1, le=1_000)] = 20
    """How often a message is taken up again after crashes."""
    approval_seconds: Annotated[float, Field(ge=10, le=7 * 86_400)] = 600
    """How long somebody may take to approve or decline a call of a gadget that waits for it; after that the answer is
    made without. turn_seconds does not count meanwhile."""
    concurrent_turns: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    """How many messages are worked on at the same time."""


class Log(Section):
    """The log on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """How much is told."""
    format: Literal["auto", "console", "plain", "json"] = "auto"
    """console: for people, in colours on a terminal. plain: a line each, for files. json: a JSON object per line, for
    programs. auto: console on a terminal, else plain."""
    message_text: bool = False
    """For looking for mistakes only: with level = "debug", what people, models and gadgets say is in the log, too."""
