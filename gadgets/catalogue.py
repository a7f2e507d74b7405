"""All gadgets there are. A new one is a file with an `@gadget` function and its line in `ALL`."""

from gadgets.clock import clock
from gadgets.decryptor import decrypt, encrypt
from gadgets.gadget import Gadget
from gadgets.weather import weather

ALL: tuple[Gadget, ...] = (
    weather,
    decrypt,
    encrypt,
    clock,
)
"""In the order in which a model is told of them."""
