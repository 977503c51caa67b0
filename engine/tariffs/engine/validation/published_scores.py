"""Compare scores by fiscal year with published ones: `tariffs validate score`.

Published: the Budget Lab at Yale, conventional revenue of four vintages of 2026. Its method, as its public model states
it, gives them from three numbers of each vintage; our own score of the law of one of them is beside it.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

from tariffs.engine.law import load_law
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.table_run import Cancelled
from tariffs.engine.runs.score.budget import PAYMENTS, projection, tax_offset
from tariffs.engine.runs.score.score import ScoreRun
from tariffs.engine.scenario import library
from tariffs.engine.validation.figures import BesidePublished

METHODS = Path(__file__).with_name("published_score_methods.csv")
TABLE = Path(__file__).with_name("published_scores.csv")
OURS = "2026-07-23", "actual"
"""Vintage and scenario beside which ours is: the law as it was known on the day."""
VINTAGE = "2025-01"
"""Projection of all published series."""
_BILLION = 1e9
_FITTED, _PRINTED, _NEAR = 0.1, 0.01, 0.05
_FIRST_YEARS = "solved from the published year to four digits, so that it is no test"
_OURS = {
    True: "ours is what is assessed, on the response of its age; theirs is what is collected, two thirds of the long "
    "response in the first year",
    False: "imports fall by the path of this model, by a tenth and more, theirs by 8.8 % in GTAP; ours is duty "
    "assessed on goods, theirs duty collected on goods and services",
}
"""Reasons of a difference in the first year, and in later ones."""


def score_of_rates(year: int, *, response: float, rate_increase: float, near_term: float) -> float:
    """Compute net revenue of a fiscal year by the method of the Budget Lab at Yale, billion USD.

    Args:
        year: fiscal year.
        response: lasting change of all imports, a fraction; two thirds of it are there in 2026.
        rate_increase: rise of duty over imports of goods and services, a fraction.
        near_term: rate before full substitution over that after it; it fades from 2026 to 2031.
    """
    cbo = projection(VINTAGE)
    imports, duty = (_whole_billions(found[year]) for found in (cbo.imports, cbo.customs))
    fading = max(0.0, 1.0 - 0.2 * (year - 2026))
    rate = duty / imports + rate_increase * (1.0 + fading * (near_term - 1.0))
    gross = imports * (1.0 + (0.66 if year == 2026 else 1.0) * response) * rate - duty
    return gross * (1.0 - tax_offset("yale", year)) - PAYMENTS.get(year, 0.0) / _BILLION


def compare_scores(*, cancelled: Cancelled | None = None) -> tuple[BesidePublished, ...]:
    """Compute the published years from their numbers, and our own score of the law of 2026-07-23.

    Raises:
        ServiceError: CANCELLED.
    """
    return (*published_years(), *_ours(cancelled))


def published_years() -> Iterator[BesidePublished]:
    """Compute each published year by `score_of_rates`."""
    methods = {(row["vintage"], row["scenario"]): row for row in _rows(METHODS)}
    for row in _rows(TABLE):
        method, year = methods[row["vintage"], row["scenario"]], int(row["year"])
        begun = float(method.get(f"year_{year}", 1.0))
        ours = score_of_rates(
            year,
            response=float(method["response"]) / 100.0,
            rate_increase=float(method["rate_increase"]) / 100.0 * begun,
            near_term=float(method["near_term"]),
        )
        tolerance = _FITTED if begun != 1.0 else _PRINTED
        figure = f"{row['vintage']} {row['scenario']} {year} by q, e, R, USD bn"
        yield BesidePublished(
            figure, float(row["net"]), ours, tolerance, _FIRST_YEARS if begun != 1.0 else ""
        )


def _ours(cancelled: Cancelled | None) -> Iterator[BesidePublished]:
    """Compute our score of the law of the published vintage."""
    known_on, scenario = OURS
    published = {
        int(row["year"]): float(row["net"])
        for row in _rows(TABLE)
        if (row["vintage"], row["scenario"]) == OURS
    }
    options = Options(known_on=known_on, by=("region",), score=VINTAGE)
    period = f"{min(published) - 1}-10-01", f"{max(published)}-09-30"
    run = ScoreRun(None, [library()["base"]], *period, law=load_law(), options=options, cancelled=cancelled)
    score = run.value(0).score
    assert score is not None
    for year, net in score.select("fiscal_year", "conventional").iter_rows():
        figure = f"{known_on} {scenario} {year}, our score, USD bn"
        tolerance = _NEAR * published[year]
        yield BesidePublished(
            figure, published[year], net / _BILLION, tolerance, _OURS[year == min(published)]
        )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _whole_billions(dollars: float) -> float:
    """Round to billions as the published model does, halves up."""
    return math.floor(dollars / _BILLION + 0.5)
