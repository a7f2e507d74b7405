"""The settings: models of config.toml's sections, and `load`, which reads them from all sources.

Precedence, lowest first: defaults, config.toml, `.env`, environment. Importing this loads no chat platform and no
HTTP client.
"""

from bot.settings.loading import load
from bot.settings.root import Settings

__all__ = ["Settings", "load"]
