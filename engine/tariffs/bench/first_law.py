"""Print as JSON the seconds of the first law that this process computes, after its table is prepared."""

from __future__ import annotations

import json
import sys

from tariffs.bench.measure import seconds_of
from tariffs.bench.workbench import BY_ORIGIN, Counts, Workbench
from tariffs.engine.runs.options import Options
from tariffs.engine.tables.prepare import prepare_table

LINES_PREPARED = 1_000


def main() -> None:
    """Prepare the embedded table, then compute one scenario over it."""
    bench = Workbench(Counts())
    # The embedded table comes from a snapshot; to prepare any other loads what compiled code needs.
    prepare_table(bench.frame.head(LINES_PREPARED), bench.law)
    prepare_table(None, bench.law)
    scenario = bench.moved()
    seconds = seconds_of(lambda: bench.impact(scenario, Options(response="none", by=BY_ORIGIN)))
    sys.stdout.write(json.dumps({"seconds": seconds}) + "\n")


if __name__ == "__main__":
    main()
