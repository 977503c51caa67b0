"""Describe a run for the places that compute its tasks."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tariffs.engine.tables.columns import PLAIN
from tariffs.engine.tables.partitions import PartitionedTable, is_partitioned
from tariffs.engine.tables.sources import read_source
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.local_inputs import LocalInputs
from tariffs.service.rpc.run_plan import table_of
from tariffs.service.rpc.verb import Verb
from tariffs.service.rpc.verbs import VERBS
from tariffs.service.wire.status import request_invalid


@dataclass(frozen=True)
class Job:
    """Run of a request over a table: the embedded one (None), a whole one, or the files of a partitioned one.

    `lines_to` is the directory or URL in which the lines of a partitioned table are written; empty for none. `law` is
    the pack of the law that the request names; empty for the one built in, which every worker has.
    """

    kind: str
    request: bytes
    table: pl.DataFrame | PartitionedTable | None
    lines_to: str
    law: bytes = b""

    @classmethod
    def of(cls, kind: str, request: Any, local: LocalInputs) -> Job:
        """Read the inputs that a caller gives by reference into the job.

        Raises:
            InputError: the table cannot be read.
        """
        own = type(request)()
        own.CopyFrom(request)
        if local.parameters:
            own.parameter_csv = Path(local.parameters).read_bytes()
        own.ClearField("arrow")
        table = _table(request, local)
        if local.lines_to and not isinstance(table, PartitionedTable):
            raise request_invalid(
                "Lines are written to a directory for a partitioned table alone.",
                "lines_to",
                "Ask for them with include_lines.",
            )
        return cls(kind, own.SerializeToString(), table, local.lines_to, LAWS.pack_of(own.law_version))

    @classmethod
    def read(cls, data: bytes) -> Job:
        """Read a job; the law that came with it is loaded."""
        job: Job = pickle.loads(data)
        if job.law:
            LAWS.take(job.message.law_version, job.law)
        return job

    def written(self) -> bytes:
        """Write the job."""
        return pickle.dumps(self, protocol=pickle.HIGHEST_PROTOCOL)

    @property
    def message(self) -> Any:
        """The request."""
        return self.verb.request.FromString(self.request)

    @property
    def verb(self) -> Verb:
        """The verb of the request."""
        return VERBS[self.kind]


def _table(request: Any, local: LocalInputs) -> pl.DataFrame | PartitionedTable | None:
    if is_partitioned(local.table):
        return PartitionedTable.of(str(local.table))
    table = table_of(request, local)
    return None if table is None else read_source(table, PLAIN)
