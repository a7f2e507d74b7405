"""Which weights the settings ask for, and where they are kept."""

from pathlib import Path

from bot.models.weights import LARGE, SMALL, Weights, cache_dir, choose, free_memory
from bot.settings import Settings


def wanted_weights(settings: Settings) -> Weights:
    """Those that would be loaded now."""
    return {"large": LARGE, "small": SMALL}.get(settings.embedded.size) or choose(free_memory())


def weights_folder(settings: Settings) -> Path:
    configured = settings.embedded.cache_dir
    return Path(configured).expanduser() if configured else cache_dir()
