"""Read all sources, merge them, validate them, and tell every problem at once."""

from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import InitSettingsSource

from bot.errors import ConfigurationError
from bot.settings import problems, sources
from bot.settings.agents import SHIPPED
from bot.settings.root import Settings


def load(config: Path | None = None) -> Settings:
    """The settings from defaults, the TOML file `config` (default ./config.toml), ./.env and the environment.

    Raises ConfigurationError; its message has one line per problem.
    """
    layers = [sources.environment(), sources.env_file(), sources.config_file(config)]
    found = [problem for layer in layers for problem in layer.problems]
    origins = {path: name for layer in reversed(layers) for path, name in layer.origins.items()}
    shipped = sources.Layer({"agents": SHIPPED})
    ordered = tuple(InitSettingsSource(Settings, layer.values) for layer in (*layers, shipped))
    try:
        settings = Settings(_build_sources=(ordered, {}))
    except ValidationError as error:
        found += problems.from_pydantic(error.errors(include_url=False))
    if found:
        # `from None`: pydantic's own message quotes the values, secrets among them.
        raise ConfigurationError("\n".join(problems.lines(found, origins))) from None
    return settings
