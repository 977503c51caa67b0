"""The database is migrated forward at the start, from the schema of version 0.1.0 on, and never backward."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from tariffs.engine.errors import ServiceError
from tariffs.service.server import serving
from tariffs.service.storage.audit.table_chain import AUDIT_ENTRIES
from tariffs.service.storage.database import METADATA, RUNS, TABLES, Database
from tariffs.service.storage.migrations.migrate import EMPTY, FIRST, apply_revisions, current, newest, pending
from tariffs.service.storage.scenario_events import SCENARIOS
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.callers import ask
from tests.service.harness import TIMEOUT, as_caller, caller_files, no_warm_up, running
from tests.service.stored import metadata_of, read, result_of, results, start, wait
from tests.tools.old_state import EMBEDDED, FINISHED, ROWS, UNFINISHED, over_handle

OLD = Path(__file__).parent / "state_0_1_0"


def old(url: str) -> str:
    """Fill an empty database as version 0.1.0 left one."""
    if url.startswith("sqlite"):
        file = sa.make_url(url).database
        assert file is not None
        shutil.copy(OLD / "tariffs.sqlite", file)
        return url
    with engine(url) as found, found.begin() as connection:
        connection.exec_driver_sql((OLD / "postgresql.sql").read_text(encoding="utf-8"))
    return url


@contextmanager
def engine(url: str) -> Iterator[sa.Engine]:
    found = sa.create_engine(url)
    try:
        yield found
    finally:
        found.dispose()


def execute(url: str, statement: str) -> None:
    with engine(url) as found, found.begin() as connection:
        connection.exec_driver_sql(statement)


def differences(url: str) -> list[object]:
    """The differences between a database and the tables in the code, as alembic finds them."""
    with engine(url) as found, found.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, METADATA))


def migrated(url: str) -> str:
    with closing(Database(url)) as database:
        database.migrate()
        assert differences(url) == []
        return database.schema_state().revision


def test_a_new_database_and_one_made_by_the_revisions_have_the_tables_of_the_code(
    new_database: Callable[[], str],
) -> None:
    url = new_database()
    assert migrated(url) == newest()
    assert {AUDIT_ENTRIES.name, SCENARIOS.name} <= METADATA.tables.keys()
    execute(url, "ALTER TABLE runs DROP COLUMN crashes")
    assert differences(url) != []
    url = new_database()
    with engine(url) as found, found.begin() as connection:
        apply_revisions(connection, EMPTY)
        assert current(connection) == newest()
    assert differences(url) == []


def test_servers_that_begin_at_once_migrate_a_database_of_0_1_0_once_with_its_rows(
    new_database: Callable[[], str],
) -> None:
    url = old(new_database())
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(migrated, [url] * 4)) == {newest()}
    with closing(Database(url)) as database, database.read() as connection:
        runs = {row.request_id: row for row in connection.execute(sa.select(RUNS))}
        (table,) = connection.execute(sa.select(TABLES))
    assert {name: row.state for name, row in runs.items()} == {FINISHED: "succeeded", UNFINISHED: "running"}
    assert (table.owner, table.row_count) == ("ann", ROWS)


def test_a_database_of_a_newer_version_or_another_program_is_refused_and_left_as_it_is(
    new_database: Callable[[], str],
) -> None:
    url = new_database()
    migrated(url)
    execute(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ServiceError, match="9999") as caught:
        migrated(url)
    told = {"found": "9999", "known": newest()}
    assert (caught.value.reason, caught.value.metadata) == ("DATABASE_VERSION", told)
    with engine(url) as found, found.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one() == "9999"
    url = new_database()
    execute(url, "CREATE TABLE runs (id INTEGER, distance REAL)")
    with pytest.raises(ServiceError, match=r"are not those of version 0\.1\.0") as caught:
        migrated(url)
    assert caught.value.reason == "DATABASE_VERSION"


def test_the_check_says_the_revision_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serving, "warm_up", no_warm_up)
    monkeypatch.setenv("TARIFFS_STATE_DIR", str(tmp_path / "state"))

    def line(code: int = 0) -> str:
        assert serving.check() == code
        return next((one for one in capsys.readouterr().out.splitlines() if one.startswith("database: ")), "")

    assert line() == f"database: no tables yet; they would be created, to {newest()}"
    assert not (tmp_path / "state").exists()
    shutil.copytree(OLD, tmp_path / "state")
    steps = "; ".join(f"{revision.number} {revision.text}" for revision in pending(FIRST))
    expected = f"; would be migrated to {newest()}: {steps}" if steps else ", up to date"
    assert line() == line() == f"database: revision {FIRST}{expected}"
    url = f"sqlite:///{tmp_path / 'state' / 'tariffs.sqlite'}"
    migrated(url)
    assert line() == f"database: revision {newest()}, up to date"
    execute(url, "UPDATE alembic_version SET version_num = '9999'")
    assert line(3) == ""


def test_todays_server_answers_for_what_version_0_1_0_stored(tmp_path: Path) -> None:
    shutil.copytree(OLD, tmp_path / "state")
    settings: dict[str, Any] = {"state_dir": tmp_path / "state", **caller_files(tmp_path)}
    ann = as_caller("ann")
    with running(warm=no_warm_up, keep_days=36_500.0, **settings) as server:
        (table,) = ask(server, "ListTables", "ann").tables
        finished = start(server, over_handle(table.name), FINISHED, **ann)
        assert finished.done
        messages = results(read(server, finished.name, **ann))
        assert len(messages) == result_of(finished).message_count > 0
        again = wait(server, start(server, over_handle(table.name), "again", **ann).name, **ann)
        assert metadata_of(again).state == pb.RUN_STATE_SUCCEEDED
        unfinished = wait(server, start(server, EMBEDDED, UNFINISHED, **ann).name, **ann)
        metadata = metadata_of(unfinished)
        assert (metadata.state, metadata.attempts) == (pb.RUN_STATE_SUCCEEDED, 2)
        whole = list(server.simulation.Simulate(EMBEDDED, timeout=TIMEOUT, **ann))
        assert results(read(server, unfinished.name, **ann)) == results(whole)
