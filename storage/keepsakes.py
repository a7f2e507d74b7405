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


def replace(connection: Connection, name: str, value: str) -> None:
    """Keep a value in place of the one before."""
    connection.execute(
        "INSERT INTO keepsakes (name, value) VALUES (:name, :value)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        {"name": name, "value": value},
    )


def find(connection: Connection, name: str) -> str | None:
    """What is kept under `name`, if anything is."""
    row = connection.execute("SELECT value FROM keepsakes WHERE name = :name", {"name": name}).fetchone()
    return str(row[0]) if row else None
