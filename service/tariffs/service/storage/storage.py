"""All that a server keeps, opened from its settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tariffs.engine.errors import ServiceError
from tariffs.service.settings.settings import State
from tariffs.service.storage import files
from tariffs.service.storage.database import Database
from tariffs.service.storage.result_parts import ResultParts
from tariffs.service.storage.run_rows import RunRow
from tariffs.service.storage.run_store import RunStore
from tariffs.service.storage.table_store import (
    DAY_SECONDS,
    LocalTables,
    TableRegister,
    TableStore,
    digest_of,
    not_found,
)

# Nothing that a call in hand may still write is older.
IDLE_SECONDS = 3600.0


class Storage:
    """Tables, runs and their results. Every method blocks.

    Args:
        settings: where things are kept and for how long.
        maker: gives law and engine version of this server; asked when it opens.
    """

    def __init__(self, settings: State, maker: Callable[[], str]) -> None:
        self._settings = settings
        self._maker = maker
        self._database = Database(settings.database)
        self.table_directory = settings.state_dir / "tables"
        self.tables: TableStore = LocalTables(self.table_directory)
        self.register = TableRegister(
            self._database, settings.table_days * DAY_SECONDS, settings.tables_per_owner
        )
        self.ledger = self._ledger("")

    def open(self) -> None:
        """Make what is missing.

        Raises:
            ServiceError: SERVER_UNAVAILABLE if the directory or the database cannot be had.
        """
        try:
            # What callers keep is nobody else's to read.
            for directory in (self._settings.state_dir, self.spools, self._runs, self.table_directory):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ServiceError(
                "SERVER_UNAVAILABLE",
                f"The state directory {self._settings.state_dir} cannot be used: {error.strerror}.",
                fix="Name another with TARIFFS_STATE_DIR.",
            ) from None
        self._database.create()
        self.ledger = self._ledger(self._maker())

    @property
    def spools(self) -> Path:
        """Where tables are while they come in."""
        return self._settings.state_dir / "incoming"

    @property
    def _runs(self) -> Path:
        return self._settings.state_dir / "runs"

    def table(self, owner: str, handle: str) -> Path:
        """The rows of a caller's table, which is used by that.

        Raises:
            InputError: TABLE_NOT_FOUND.
        """
        digest = digest_of(handle)
        self.register.use(owner, digest)
        path = self.tables.open(digest)
        if path is None:
            raise not_found(handle)
        return path

    def parts(self, run: RunRow) -> ResultParts:
        """The parts of a run's result."""
        return ResultParts(self._runs / run.digest, run.total_parts)

    def sweep(self) -> None:
        """Forget what is past its time, and remove what nobody keeps."""
        self.tables.sweep(self.register.expire(), IDLE_SECONDS)
        files.sweep(self._runs, self.ledger.expire().__contains__, IDLE_SECONDS)
        files.sweep(self.spools, lambda name: False, IDLE_SECONDS)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def _ledger(self, maker: str) -> RunStore:
        settings = self._settings
        return RunStore(
            self._database,
            maker,
            settings.lease_seconds,
            settings.run_days * DAY_SECONDS,
            settings.runs_waiting_limit,
            settings.runs_waiting_per_owner,
            settings.runs_per_owner,
        )
