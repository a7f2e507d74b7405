"""The commands that look after the record as a whole: `backup`, `check --backup`, `retention`, `forget`."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bot.cli import FAILED, OK
from bot.cli_missions import opened, operator
from bot.cli_output import counted, print_text
from bot.errors import UserError
from bot.settings import load
from storage import audit, backup, retention
from storage.audit import Act
from storage.backup import BackupSummary, Progress
from storage.clock import utc_now
from storage.compaction import file_of
from storage.database import Database, open_database
from storage.errors import StorageError
from storage.migrations import all_migrations
from storage.pruning_file import reconcile
from storage.retention import Removed

TERMINATED = 128 + signal.SIGTERM


async def make_backup(given: argparse.Namespace) -> int:
    """Beside a bot that may be running. SIGTERM and Ctrl-C leave nothing behind."""
    settings = load(given.config)
    database = file_of(settings.storage.url)
    with _bar() as progress:
        copying = asyncio.ensure_future(backup.back_up(database, given.file, progress))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, copying.cancel)
        try:
            made = await copying
        except asyncio.CancelledError:
            if (this := asyncio.current_task()) is not None and this.cancelling():
                raise  # Ctrl-C
            return TERMINATED
    if made.schema == len(all_migrations()):  # to look at an older one would be to change it
        with suppress(StorageError):  # the backup is there, whatever the log can take
            async with open_database(settings.storage.url, exclusive=False) as log:
                await log.write(audit.record, Act(operator(), "backup", str(given.file)))
    print_text(f"{_told(made)} in {given.file}, which was read through and is good.")
    return OK


async def check_backup(given: argparse.Namespace) -> int:
    """Tell whether a backup is good, and how to go back to it."""
    try:
        found = await asyncio.to_thread(backup.check, given.backup)
    except StorageError as error:
        print_text(f"{given.backup} cannot be gone back to. {error}")
        return FAILED
    database = file_of(load(given.config).storage.url)
    print_text(
        f"{given.backup} is good: {_told(found)}.\n"
        f"To go back to it: stop the bot; move {database}, {database}-wal and {database}-shm away, as far as they are"
        f" there, but leave {database}.forgotten; copy the backup to {database}; start the bot."
    )
    return OK


def _told(summary: BackupSummary) -> str:
    return f"{counted(summary.missions, 'mission')} with {counted(summary.messages, 'message')}"


async def retain(given: argparse.Namespace) -> int:
    """Remove now what the bot removes once a day, or tell what that would be."""
    settings, database = opened(given)
    policy = settings.retention.policy
    if not policy:
        print_text("Missions are kept for ever: no days are set in [retention].")
        return OK
    async with database:
        if not given.dry_run and not given.yes:
            await _require_clock(database)
        removed = await retention.remove(database, policy, dry_run=given.dry_run)
        if removed and not given.dry_run:
            await database.write(audit.record, Act(operator(), "retention", "all", _missions_of(removed)))
    for platform, each in sorted(removed.items()):
        would = "would be removed" if given.dry_run else "removed"
        print_text(f"{platform}: {counted(each.missions, 'mission')} with {counted(each.messages, 'message')} {would}.")
    if not removed:
        print_text("No mission is too old.")
    elif not given.dry_run:
        print_text("Their room in the file is used again; the file itself does not shrink.")
    return OK


async def _require_clock(database: Database) -> None:
    if await database.write(retention.look_at_clock, utc_now()) == "ahead":
        raise UserError(
            f"The clock says {utc_now()[:16].replace('T', ' ')} UTC, more than {retention.AHEAD_DAYS} days after it was"
            " last looked at or anything was said. Nothing was removed. If it is right, say --yes."
        )


def _missions_of(removed: dict[str, Removed]) -> dict[str, int]:
    return {platform: each.missions for platform, each in removed.items()}


async def forget(given: argparse.Namespace) -> int:
    """Of one person: tell what is there, write it out, erase it. Or do again what a list says was erased."""
    settings, database = opened(given)
    file = file_of(settings.storage.url)
    async with database:
        if given.replay is not None:
            return await _replay(database, file, given.replay)
        if given.person is None:
            raise UserError("Say whom, such as discord:123, or --replay LIST.")
        return await _forget(database, file, given)


async def _forget(database: Database, file: Path, given: argparse.Namespace) -> int:
    from bot.command_forget import listed  # noqa: PLC0415 - only for this
    from bot.forgetting import Forgetting  # noqa: PLC0415 - likewise

    forgetting = Forgetting(database, file=file)
    found = await forgetting.holdings(given.person)
    print_text(f"{given.person} has {listed(found) or 'nothing'} here.")
    if given.export is not None:
        await _export(database, given)
    if given.dry_run or not given.yes:
        print_text("Nothing was erased. --yes erases it, which cannot be undone.")
        return OK
    forgotten = await forgetting.forget(given.person, operator())
    done = forgotten.receipt
    erased = listed(done.erased) or "nothing was here"
    print_text(f"Forgotten. Receipt {done.id}, {done.at}, of {done.person}: {erased}.")
    print_text(
        "Results of gadgets that a running bot has in memory go when they expire. Backups and exports that were made"
        " before are not changed; what is restored or imported from them is erased again."
    )
    if not forgotten.wiped:
        print_text("The last traces in the database's file could not be wiped out now; the bot does when it starts.")
    return OK


async def _export(database: Database, given: argparse.Namespace) -> None:
    from bot.forgetting import write_personal  # noqa: PLC0415 - only for this
    from storage.in_thread import in_thread  # noqa: PLC0415 - likewise
    from storage.whole_file import WholeFile  # noqa: PLC0415 - likewise

    file = WholeFile(given.export)
    try:
        await in_thread(file.begin)
        count = await write_personal(database, given.person, file.write)
        await in_thread(file.keep)
    finally:
        await in_thread(file.discard)
    print_text(f"{counted(count, 'message')} in {given.export}.")


async def _replay(database: Database, file: Path, path: Path) -> int:
    from bot.command_forget import listed  # noqa: PLC0415 - only for this
    from bot.forgetting import Forgetting  # noqa: PLC0415 - likewise

    if not await asyncio.to_thread(path.exists):
        raise UserError(f"There is no file {path}.")
    erased = await reconcile(database, path, write=False)
    await Forgetting(database, file=file).tidy()
    print_text(f"Erased of people who were forgotten: {listed(erased) or 'nothing was here'}.")
    return OK


@contextmanager
def _bar() -> Iterator[Progress]:
    """On standard error, for those who watch; gone when all is done."""
    if not sys.stderr.isatty():
        yield lambda _done, _of: None
        return
    from rich.console import Console  # noqa: PLC0415 - only where a bar is shown
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - likewise

    columns = (TextColumn("Copying"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("")
        yield lambda done, of: shown.update(task, completed=done, total=of)
