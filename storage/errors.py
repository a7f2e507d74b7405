"""What a database can refuse. Driver errors are translated to these once, in the backend, `from` the original."""


class StorageError(Exception):
    """The database did not do what was asked of it."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])


class StorageBusy(StorageError):
    """Another process holds the database locked; trying again later may help."""


class StorageFull(StorageError):
    """The disk is full."""


class StorageReadOnly(StorageError):
    """The database cannot be written: the file, its folder or the disk is read-only."""


class StorageCorrupt(StorageError):
    """The file is not a database, or is damaged. It is left as it is: restore a backup or move it away."""


class StorageTooNew(StorageError):
    """The database was written by a newer version of this program: upgrade the program."""


class StorageInUse(StorageError):
    """Another secret-agents process works on this database: stop it, use its page, or set another [storage] url."""


class Fenced(StorageError):
    """The turn has been claimed again since, or has ended: this worker may no longer write to it."""


class ImportRefused(StorageError):
    """The file is not a mission log that can be imported. Nothing of it was."""
