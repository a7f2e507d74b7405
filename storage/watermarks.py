"""Units of work on watermarks: up to which message each platform channel was read."""

from storage.database import Connection


def advance(connection: Connection, platform: str, workspace: str, channel: str, position: str) -> None:
    """Remember a channel's newest admitted message. Positions of a channel must grow; a smaller one is ignored."""
    connection.execute(
        """INSERT INTO watermarks (platform, workspace, channel, position)
            VALUES (:platform, :workspace, :channel, :position)
            ON CONFLICT (platform, workspace, channel) DO UPDATE SET position = excluded.position
            WHERE length(excluded.position) > length(watermarks.position)
                OR (length(excluded.position) = length(watermarks.position)
                    AND excluded.position > watermarks.position)""",
        {"platform": platform, "workspace": workspace, "channel": channel, "position": position},
    )


def of_platform(connection: Connection, platform: str) -> list[tuple[str, str, str]]:
    """Every (workspace, channel, position) of a platform."""
    return [
        (workspace, channel, position)
        for workspace, channel, position in connection.execute(
            "SELECT workspace, channel, position FROM watermarks WHERE platform = :platform",
            {"platform": platform},
        ).fetchall()
    ]
