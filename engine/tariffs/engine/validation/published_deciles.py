"""Compare the division of consumer prices over households with a published one: `tariffs validate households`.

Published: the Budget Lab at Yale, State of Tariffs of 2026-07-01, cost before substitution of its odd deciles. Its own
factors, of its public model, give these to every digit; ours are beside them at the same mean.
"""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl

from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import impact
from tariffs.engine.runs.options import Options, Point
from tariffs.engine.runs.outcomes.table_run import Cancelled
from tariffs.engine.scenario import library
from tariffs.engine.validation.figures import BesidePublished

TABLE = Path(__file__).with_name("published_deciles.csv")
PRICE = 0.33301572527765
"""Published rise of consumer prices before substitution, percent."""
MEAN = 451.0267608722073
"""Published mean cost of a household, USD of 2025: that of the ten deciles."""
ON, KNOWN_ON = "2026-07-25", "2026-07-13"
"""Law of the published figures: without the surcharge of Section 122, which ended, and before new duties."""
_EXACT, _NEAR = 1e-12, 0.05
_RANKING = (
    "the ranking: the survey ranks units by income before tax, Yale's deciles are by income after transfers and tax, "
    "adjusted for size, and it spreads one price over all consumption"
)


def compare_households(*, cancelled: Cancelled | None = None) -> tuple[BesidePublished, ...]:
    """Compute the published deciles from their factors, and our costs by tenth over theirs at the same mean.

    Raises:
        ServiceError: CANCELLED.
    """
    with TABLE.open(encoding="utf-8", newline="") as file:
        table = [{name: float(text) for name, text in row.items()} for row in csv.DictReader(file)]
    rows = []
    for row in table:
        share = PRICE * row["variation"] * row["scaling"]
        name = f"decile {row['decile']:.0f} by Yale's factors"
        rows += [
            BesidePublished(f"{name}, USD", row["usd"], share / 100.0 * row["income"], _EXACT * row["usd"]),
            BesidePublished(f"{name}, % of income", row["percent"], share, _EXACT * row["percent"]),
        ]
    ours = _costs(cancelled)
    mean = sum(ours.values()) / len(ours)
    return (
        *rows,
        *(
            BesidePublished(
                f"decile {row['decile']:.0f}, our cost over Yale's at the same mean",
                1.0,
                ours[int(row["decile"])] / mean * MEAN / row["usd"],
                _NEAR,
                _RANKING,
            )
            for row in table
        ),
    )


def _costs(cancelled: Cancelled | None) -> dict[int, float]:
    """Compute the cost of a household by tenth under the published law, by Yale's method."""
    options = Options(response="none", known_on=KNOWN_ON, consumer_prices="yale", by=("decile",))
    points = [Point(library()["base"], ON)]
    costs = impact(None, points, law=load_law(), options=options, cancelled=cancelled).scenarios[0].households
    assert costs is not None
    whole = costs.filter(pl.col("category").is_null(), pl.col("decile").is_not_null())
    return dict(whole.select("decile", "per_household").iter_rows())
