"""Warm up before the first call: load the data, compile the kernels, run a self-test."""

from __future__ import annotations

import math
from typing import Any

from tariffs.engine.errors import ServiceError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.scenario import library
from tariffs.engine.schedule.reference_data import reference_table
from tariffs.service.rpc.shared import BASE

QUOTES, RUNS = "tariffs.service.server.warmup:warm_quotes", "tariffs.service.server.warmup:warm_runs"


def warm_up() -> None:
    """Warm up for quotes and runs in one process.

    Raises:
        TariffsError: as `warm_quotes` and `warm_runs`.
    """
    warm_quotes()
    warm_runs()


def warm_quotes() -> None:
    """Load law, scenario library and schedule, and quote one line.

    Raises:
        TariffsError: the law data is invalid, or ENGINE_INVARIANT if the self-test fails.
    """
    library()
    first = reference_table().row(0, named=True)
    quote = quote_line(load_law(), EntryLine(first["hts"], first["origin"], 10_000))
    _expect(
        sum(float(layer.amount) for layer in quote.layers), float(quote.assessed), "layers sum to the duty"
    )


def warm_runs() -> None:
    """Load the embedded table and run every kernel once.

    Raises:
        TariffsError: as `warm_quotes`.
    """
    # The process that answers quotes does not need compiled kernels.
    from tariffs.engine.runs.impact import Options, Point, impact

    result = impact(None, [Point(library()[BASE], "")], law=load_law(), options=Options(by=("origin",)))
    block = result.scenarios[0]
    _expect(block.groups["duty"].sum(), block.total["duty"], "groups sum to the total")


def _expect(actual: Any, expected: Any, rule: str) -> None:
    if expected is None or not math.isclose(actual, expected, rel_tol=1e-9):
        raise ServiceError(
            "ENGINE_INVARIANT",
            f"The self-test failed: {rule}, but {actual} is not {expected}.",
            fix="Reinstall the package, and clear the cache of compiled kernels.",
        )
