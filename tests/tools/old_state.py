"""Make `state_0_1_0`: a state directory as version 0.1.0 of the server left it.

    git archive ff002cf | tar -x -C OLD
    python -m tests.tools.old_state OLD tests/service/state_0_1_0

The code of that commit, the first that stored tables and runs, serves; a caller uploads a table and starts two runs.
The first ends; in the middle of the second the server is killed. `postgresql.sql` has the same rows in the tables that
the code of that commit creates in PostgreSQL.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

import grpc
import psutil

from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import Running, as_caller, caller_files
from tests.service.stored import (
    get,
    metadata_of,
    rows,
    simulation,
    start,
    until,
    upload,
    wait,
)

ROWS = 40
FINISHED, UNFINISHED = "finished-1", "unfinished-1"
DAYS = [("base", f"2025-{month:02}-15") for month in range(1, 13)]
EMBEDDED = simulation(rows(1), asked=DAYS, embedded=pb.EmbeddedTable(), include_lines=False, by=["origin"])
_DDL = """
import sys
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable
from tariffs.service.state.database import METADATA
for table in METADATA.sorted_tables:
    for element in (CreateTable(table), *map(CreateIndex, sorted(table.indexes, key=lambda index: index.name))):
        print(str(element.compile(dialect=postgresql.dialect())).strip().replace("\\t", "    ") + ";")
"""


def over_handle(handle: str) -> pb.SimulateRequest:
    """The request of the run that ends."""
    request = simulation(rows(1), asked=[("base", "2026-11-20"), ("truce-extended", "2026-11-20")])
    request.handle = handle
    return request


def main(old: Path, target: Path) -> None:
    """Fill the state directory with the server of the old tree."""
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch, _server(old, target, Path(scratch)) as (process, server):
        ann = as_caller("ann")
        table = upload(server, rows(ROWS), **ann)
        wait(server, start(server, over_handle(table.name), FINISHED, **ann).name, **ann)
        name = start(server, EMBEDDED, UNFINISHED, **ann).name
        until(lambda: metadata_of(get(server, name, **ann)).finished_parts >= 2)
        children = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGKILL)
        for child in children:
            child.kill()
    shutil.rmtree(target / "incoming", ignore_errors=True)
    with closing(sqlite3.connect(target / "tariffs.sqlite")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("VACUUM")
        (target / "postgresql.sql").write_text(_ddl(old) + "".join(_inserts(connection)), encoding="utf-8")


@contextmanager
def _server(old: Path, state: Path, scratch: Path) -> Iterator[tuple[subprocess.Popen[bytes], Running]]:
    log = scratch / "log"
    environment = _environment(old) | {
        "TARIFFS_STATE_DIR": str(state),
        "TARIFFS_TOKENS_FILE": str(caller_files(scratch)["tokens_file"]),
        "TARIFFS_WORKERS": "1",
    }
    command = [sys.executable, "-m", "tariffs.service", "--port", "0"]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, env=environment, cwd=old)
    try:
        port = until(lambda: _port(log))
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield process, Running(port, channel, cast(Any, None), cast(Any, None))
    finally:
        process.kill()
        process.wait()


def _environment(old: Path) -> dict[str, str]:
    roots = os.pathsep.join(str(old / name) for name in ("engine", "service", "clients/python", "proto"))
    return {**os.environ, "PYTHONPATH": roots}


def _port(log: Path) -> int | None:
    for line in log.read_text(encoding="utf-8").splitlines():
        record = json.loads(line) if line.startswith("{") else {}
        if record.get("event") == "serving":
            return int(record["port"])
    return None


def _ddl(old: Path) -> str:
    command = [sys.executable, "-c", _DDL]
    return subprocess.run(
        command, env=_environment(old), cwd=old, check=True, capture_output=True, text=True
    ).stdout


def _inserts(connection: sqlite3.Connection) -> Iterator[str]:
    for table in ("tables", "runs"):
        cursor = connection.execute(f"SELECT * FROM {table} ORDER BY 1")
        names = [column[0] for column in cursor.description]
        for row in cursor:
            values = (_literal(name, value) for name, value in zip(names, row, strict=True))
            yield f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(values)});\n"


def _literal(name: str, value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    if name == "cancel_asked":
        return str(bool(value))
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute())
