"""Units of work on values the program makes once and keeps."""

from storage.database import Connection


def keep(connection: Connection, name: str, value: str) -> str:
    """The value kept under `name`; `value` is kept if there was none."""
    connection.execute(
        "INSERT INTO keepsakes (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING",
        {"name": name, "value": value},
    )
    (kept,) = connection.execute("SELECT value FROM keepsakes WHERE name = :name", {"name": name}).fetchone()
    return str(kept)
