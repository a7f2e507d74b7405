"""What an operator's lists, counts and searches take, as the database grows.

    python -m benchmarks.listing [--turns N ...]

Ten turns to a conversation, texts of 60 to 1,200 characters of words; one in a hundred failed. Each page is of 50, and
is asked for at the beginning and from the middle; the median of some is told. The database is a file that was just
written, so its pages are in the system's memory. Beside them: what a full-text index would add to writing a turn.
"""

import argparse
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.support.verdict import verdict
from storage import overview
from storage.migrations import all_migrations
from storage.overview import Wanted

SIZES = (100, 10_000, 1_000_000)
PAGE = 50
ROUNDS = 15
TARGET_MS = 50.0
VOCABULARY = 20_000
"""Different words; as in a language, few are frequent and most are rare."""
INDEX = """
CREATE VIRTUAL TABLE said USING fts5 (user_message, agent_response, content = 'turns', content_rowid = 'id');
CREATE TRIGGER said_now AFTER UPDATE OF agent_response ON turns BEGIN
    INSERT INTO said (rowid, user_message, agent_response) VALUES (new.id, new.user_message, new.agent_response);
END;
"""


def text(chance: random.Random, most: int) -> str:
    return " ".join(f"word{int(chance.paretovariate(0.4)) % VOCABULARY}" for _ in range(chance.randint(10, most)))


def fill(connection: sqlite3.Connection, count: int) -> None:
    chance = random.Random(7)
    connection.execute("BEGIN")
    connection.executemany(
        """INSERT INTO conversations (id, platform, workspace, channel, thread, owner, owner_name, agent, title,
            status, started_at, last_updated)
            VALUES (?, ?, 'w', ?, '', ?, 'Alice', 'quartermaster', 'x', 'completed', 'x', 'x')""",
        ((f"c{n}", ("web", "discord", "slack")[n % 3], str(n), f"u{n % 1_000}") for n in range(max(1, count // 10))),
    )
    connection.executemany(
        """INSERT INTO turns (conversation, event_key, author, author_name, user_message, status, agent_response,
            outcome, created_at, finished_at) VALUES (?, ?, 'u1', 'Alice', ?, ?, ?, 'answered', 'x', 'x')""",
        (
            (n // 10 + 1, f"e{n}", text(chance, 20), "failed" if n % 100 == 0 else "answered", text(chance, 150))
            for n in range(count)
        ),
    )
    connection.execute("COMMIT")


def milliseconds(work: Callable[[], object]) -> float:
    def once() -> float:
        start = time.perf_counter()
        work()
        return (time.perf_counter() - start) * 1000

    return statistics.median(once() for _ in range(ROUNDS))


def lists(connection: sqlite3.Connection, size: int) -> dict[str, Callable[[], object]]:
    middle, conversations = size // 2, max(1, size // 10)
    rare = Wanted(platform="slack", status="active")
    return {
        "conversations, first page": lambda: overview.conversations(connection, Wanted(), limit=PAGE),
        "conversations, from the middle": lambda: overview.conversations(
            connection, Wanted(), limit=PAGE, before=conversations // 2
        ),
        "conversations of a platform": lambda: overview.conversations(connection, Wanted("slack"), limit=PAGE),
        "conversations of a person": lambda: overview.conversations(connection, Wanted("web", "u3"), limit=PAGE),
        "conversations, none that fits": lambda: overview.conversations(connection, rare, limit=PAGE),
        "turns, first page": lambda: overview.turns(connection, limit=PAGE),
        "turns, from the middle": lambda: overview.turns(connection, limit=PAGE, before=middle),
        "turns that failed": lambda: overview.turns(connection, limit=PAGE, kind="failed"),
        "turns of a conversation": lambda: overview.turns(connection, limit=PAGE, conversation=conversations),
        "counts": lambda: (overview.conversation_counts(connection), overview.days(connection, since="2026-01-01")),
        "queue": lambda: overview.queue(connection),
        "search, found at once": lambda: overview.search(connection, "word7 word1", limit=PAGE),
        "search, one page without a find": lambda: overview.search(connection, "no such words", limit=PAGE),
    }


def open_file(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    for migration in all_migrations():
        connection.executescript(migration.sql)
    return connection


def write_cost(connection: sqlite3.Connection, count: int) -> float:
    """Microseconds that storing an answer takes, a transaction for every ten."""
    chance = random.Random(3)
    answers = [text(chance, 150) for _ in range(count)]
    (first,) = connection.execute("SELECT min(id) FROM turns").fetchone()
    start = time.process_time()
    for at in range(0, count, 10):
        connection.execute("BEGIN IMMEDIATE")
        for n in range(at, at + 10):
            connection.execute("UPDATE turns SET agent_response = ? WHERE id = ?", (answers[n], first + n))
        connection.execute("COMMIT")
    return (time.process_time() - start) / count * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, nargs="+", default=SIZES)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for size in given.turns:
            connection = open_file(Path(folder) / f"{size}.db")
            fill(connection, size)
            for name, work in lists(connection, size).items():
                print(verdict(f"{size:>9,} turns: {name}, ms", milliseconds(work), TARGET_MS))
            connection.close()
        connection = open_file(Path(folder) / "index.db")
        fill(connection, 2_000)
        plain = write_cost(connection, 1_000)
        connection.executescript(INDEX)
        print(f"storing an answer {plain:.0f} µs, with a full-text index {write_cost(connection, 1_000):.0f} µs of CPU")


if __name__ == "__main__":
    main()
