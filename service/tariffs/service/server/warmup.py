"""Warm up before the first call: load the data, compile the kernels, run a self-test.

`python -m tariffs.service.server.warmup` fills the caches on disk, once after an installation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tariffs.engine.errors import ServiceError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.scenario import library
from tariffs.engine.schedule.reference_data import first_line
from tariffs.service.rpc.shared import BASE

QUOTES, RUNS = "tariffs.service.server.warmup:warm_quotes", "tariffs.service.server.warmup:warm_runs"


_PATH, _HALF_YEAR = timedelta(days=30), timedelta(days=182)
RATES, START = "rates-by-country", "start"
"""A scenario whose parameters are rates, and the one that is a day."""


def warm_up() -> None:
    """Warm up for quotes and runs in one process.

    Raises:
        TariffsError: as `warm_quotes` and `warm_runs`.
    """
    warm_quotes()
    warm_runs()()


def fill_caches() -> None:
    """Compile the kernels of all runs, and keep how the law moved its rates under each convention of claims.

    Raises:
        TariffsError: as `warm_up`.
    """
    from tariffs.engine.response.elasticities.draws import LEAST_DRAWS
    from tariffs.engine.runs.impact import Options, Point, impact

    warm_up()
    options = Options(by=("origin",), draws=LEAST_DRAWS, include_lines=True)
    impact(None, [Point(library()[BASE], "")], law=load_law(), options=options)


def warm_quotes() -> None:
    """Load law, scenario library and schedule, and quote one line.

    Raises:
        TariffsError: the law data is invalid, or ENGINE_INVARIANT if the self-test fails.
    """
    library()
    first = first_line()
    quote = quote_line(load_law(), EntryLine(first["hts"], first["origin"], 10_000))
    _expect(
        sum(float(layer.amount) for layer in quote.layers), float(quote.assessed), "layers sum to the duty"
    )


def warm_runs() -> Callable[[], None]:
    """Load the embedded table and run the kernels of an impact; returns `warm_more`, for a process that waits.

    Raises:
        TariffsError: as `warm_quotes`.
    """
    # The process that answers quotes does not need compiled kernels.
    from tariffs.engine.runs.impact import Options, Point, impact

    result = impact(
        None, [Point(library()[BASE], "")], law=load_law(), options=Options(by=("origin",), horizon="short")
    )
    block = result.scenarios[0]
    _expect(block.groups["duty"].sum(), block.total["duty"], "groups sum to the total")
    return warm_more


def warm_more() -> None:
    """Run the kernels of sweeps, answer the default question, and rate the days on which the law moved in half a year.

    Later runs find the moves of rates since the baseline of the table, and the classes of goods of these days.

    Raises:
        TariffsError: as `warm_quotes`.
    """
    from tariffs.engine.runs.impact import Options, Point, impact

    _warm_sweeps()
    law, base = load_law(), library()[BASE]
    impact(None, [Point(base, "")], law=law, options=Options(by=("origin",)))
    days = {boundary.date() for boundary in law.boundaries}
    points = [
        Point(base, day.isoformat()) for day in sorted(days) if law.as_of - _HALF_YEAR < day <= law.as_of
    ]
    impact(None, points, law=law, options=Options(by=("origin",), response="none"))


def _warm_sweeps() -> None:
    """Run the kernels of sweeps once, on a few lines, before and after the response of each kind."""
    from tariffs.engine.runs.options import Options
    from tariffs.engine.runs.sweeps.sweep import sweep
    from tariffs.engine.schedule.reference_data import reference_table
    from tariffs.engine.tables.prepare import prepare_table

    law, scenario = load_law(), library()[RATES]
    lines = prepare_table(reference_table().head(100), law)
    # Kernels need a step of a path, and not all of the law since the baseline of the table.
    baseline = (law.as_of - _PATH).isoformat()
    points = [{name: f"{rate}%" for name in scenario.parameters if name != START} for rate in (5, 10, 20)]
    for response, horizon in (("none", "short"), ("armington", "short"), ("armington", "path")):
        options = Options(baseline=baseline, response=response, horizon=horizon, by=("origin",))
        found = sweep(lines, scenario, points, law=law, options=options)
        _expect(found.groups["duty"].sum(), found.totals["duty"].sum(), "groups sum to the total")


def _expect(actual: Any, expected: Any, rule: str) -> None:
    if expected is None or not math.isclose(actual, expected, rel_tol=1e-9):
        raise ServiceError(
            "ENGINE_INVARIANT",
            f"The self-test failed: {rule}, but {actual} is not {expected}.",
            fix="Reinstall the package, and clear the cache of compiled kernels.",
        )


if __name__ == "__main__":
    fill_caches()
