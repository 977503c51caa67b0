"""What must be in memory and compiled before the first call, and the proof that the engine works here."""

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
    """All of it, in one process.

    Raises:
        TariffsError: as `warm_quotes` and `warm_runs`.
    """
    warm_quotes()
    warm_runs()


def warm_quotes() -> None:
    """Load law, library and schedule, and rate a line.

    Raises:
        TariffsError: the law data is broken, or ENGINE_INVARIANT if a result makes no sense.
    """
    library()
    first = reference_table().row(0, named=True)
    quote = quote_line(load_law(), EntryLine(first["hts"], first["origin"], 10_000))
    _expect(
        sum(float(layer.amount) for layer in quote.layers), float(quote.assessed), "layers sum to the duty"
    )


def warm_runs() -> None:
    """Load what runs need and the embedded table, and run every kernel once.

    Raises:
        TariffsError: as `warm_quotes`.
    """
    # Servers of quotes have no need of compiled kernels.
    from tariffs.engine.runs.impact import Options, Point, impact

    found = impact(None, [Point(library()[BASE], "")], law=load_law(), options=Options(by=("origin",)))
    block = found.scenarios[0]
    _expect(block.groups["duty"].sum(), block.total["duty"], "groups sum to the total")


def _expect(found: Any, wanted: Any, promise: str) -> None:
    if wanted is None or not math.isclose(found, wanted, rel_tol=1e-9):
        raise ServiceError(
            "ENGINE_INVARIANT",
            f"The self-test failed: {promise}; found {found} and {wanted}.",
            fix="Reinstall the package, and clear the cache of compiled kernels.",
        )
