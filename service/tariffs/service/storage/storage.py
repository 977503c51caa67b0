"""Tables, runs and results that a server stores, opened from its settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tariffs.engine.errors import ServiceError
from tariffs.engine.law import load_law
from tariffs.service.settings.settings import State
from tariffs.service.storage import files
from tariffs.service.storage.database import Database
from tariffs.service.storage.law_store import LawChecks, LawStore
from tariffs.service.storage.result_parts import ResultParts
from tariffs.service.storage.run_rows import RunRow
from tariffs.service.storage.run_store import RunStore
from tariffs.service.storage.scenario_events import ScenarioEvents
from tariffs.service.storage.scenario_store import ScenarioStore
from tariffs.service.storage.table_store import TableFiles, TableRegister, digest_of, not_found, sweep_uploads
from tariffs.service.wire.identity import Caller

# No running call still writes to a file older than this.
IDLE_SECONDS = 3600.0


class Storage:
    """Tables, runs and their results. Every method blocks.

    Args:
        maker: returns the digest of this server's law and engine version; called by `open`.
        on_run_end: called with each run that ends at this server; None if nobody needs to know.
    """

    def __init__(
        self, settings: State, maker: Callable[[], str], on_run_end: Callable[[RunRow], None] | None = None
    ) -> None:
        self._settings = settings
        self._maker = maker
        self._on_run_end = on_run_end
        self._database = Database(settings.database)
        self.tables = TableFiles(settings.state_dir / "tables")
        self.laws = LawStore(settings.laws_directory)
        self.law_checks = LawChecks(settings.state_dir / "law_checks")
        self.register = TableRegister(self._database, settings)
        self.scenarios = ScenarioStore(self._database, settings)
        self.scenario_events = ScenarioEvents(self._database, settings.keep_seconds)
        self.runs = RunStore(self._database, "", settings)

    def open(self) -> None:
        """Create missing directories, and create or migrate the database tables.

        Raises:
            ServiceError: SERVER_UNAVAILABLE if the directory or the database cannot be used; DATABASE_VERSION if a
                newer version of the server migrated the database.
        """
        try:
            # The files of callers are readable by this user only.
            for directory in (self._settings.state_dir, self.incoming, self._results, self.tables.directory):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ServiceError(
                "SERVER_UNAVAILABLE",
                f"The state directory {self._settings.state_dir} cannot be used: {error.strerror}.",
                fix="Set TARIFFS_STATE_DIR to another directory.",
            ) from None
        self._database.migrate()
        self.runs = RunStore(self._database, self._maker(), self._settings, self._on_run_end)

    @property
    def directory(self) -> Path:
        """Directory of everything that is not in the database."""
        return self._settings.state_dir

    @property
    def incoming(self) -> Path:
        """Directory of tables while they are uploaded."""
        return self._settings.state_dir / "incoming"

    @property
    def _results(self) -> Path:
        return self._settings.state_dir / "runs"

    def table(self, who: Caller, handle: str) -> Path:
        """Return the Parquet file of a table that a caller may use and mark the table as used.

        Raises:
            InputError: TABLE_NOT_FOUND.
        """
        self.register.use(who, digest_of(handle))
        return self._file(handle)

    def run_table(self, handle: str) -> Path:
        """Return the Parquet file of a run's table; whether its owner may use it was checked when the run started.

        Raises:
            InputError: TABLE_NOT_FOUND.
        """
        self.register.use_any(digest_of(handle))
        return self._file(handle)

    def _file(self, handle: str) -> Path:
        digest = digest_of(handle)
        path = self.tables.find(digest)
        if path is None:
            raise not_found(handle)
        return path

    def parts(self, run: RunRow) -> ResultParts:
        """Return the parts of a run's result."""
        return ResultParts(self._results / run.digest, run.total_parts)

    def keep_law(self, digest: str) -> None:
        """Keep the pack of a law for a run, whatever becomes of the law that a server has."""
        if digest == load_law().digest:
            self.laws.keep_builtin()
        self.laws.touch(digest)

    def sweep(self) -> None:
        """Delete expired tables and runs, files that no table or run refers to, and what ended servers left."""
        sweep_uploads(self.incoming)
        requests = self.runs.open_requests()
        self.laws.sweep(lambda digest: any(digest.encode() in one for one in requests), IDLE_SECONDS)
        self.law_checks.sweep(self._settings.keep_seconds)
        self.tables.sweep(self.register.expire(), IDLE_SECONDS)
        files.sweep(self._results, self.runs.expire().__contains__, IDLE_SECONDS)
        self.scenario_events.expire()
        files.sweep(self.incoming, lambda name: False, IDLE_SECONDS)

    def close(self) -> None:
        """Close the database connections."""
        self._database.close()
