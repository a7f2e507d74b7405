"""Which kind of picture some bytes are, by how they begin: names and declared types are anybody's word."""

_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
"""https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern"""


def image_type(data: bytes) -> str | None:
    """The media type of a PNG, JPEG, GIF or WebP file, the four that models take; None for anything else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for signature, kind in _SIGNATURES.items() if data.startswith(signature)), None)
