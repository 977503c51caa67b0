"""Compare soybeans shipped to China in 2025 by the model with those observed, by month: `tariffs validate soybeans`.

Nothing is fitted. The model takes the quantities and prices of each month of 2024, for the United States, Brazil and
Argentina, and the duties of the same month of 2025. See docs/exports.md.
"""

from __future__ import annotations

import csv
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from tariffs.engine.base.provenance import with_run_digest
from tariffs.engine.law import Law, load_law
from tariffs.engine.law.law import EXPORT
from tariffs.engine.law.yaml_texts import load_yaml
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.table_run import Cancelled, Progress
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import library

TABLE = Path(__file__).with_name("soybeans.csv")
GOODS = Path(__file__).with_name("soybeans.yaml")
BASE_YEAR, YEAR = 2024, 2025
_BASELINE = f"{YEAR}-01-01"
_MONTHS = range(1, 13)


class Shipped(NamedTuple):
    """Exports of one origin in months `first` to `last` of a year: dollars at the port of export, and tons."""

    origin: str
    year: int
    first: int
    last: int
    value: float
    tons: float


@dataclass(frozen=True, slots=True)
class SoybeanMonth:
    """Shipments of one origin in months of the year, in tons.

    Attributes:
        first, last: months, 1 to 12; one month but where only the sum of several was observed.
        origin: exporting country.
        before: tons of 2024.
        price: dollars a ton at the port of export in 2024, None without shipments.
        rate: mean duty of 2025 that China charges, None without shipments.
        model: tons of 2025 by the model.
        observed: tons of 2025 as reported; None for months not reported.
    """

    first: int
    last: int
    origin: str
    before: float
    price: float | None
    rate: float | None
    model: float
    observed: float | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Effect that the model leaves out, and the months it applies to."""

    first: int
    last: int
    text: str


@dataclass(frozen=True)
class SoybeanComparison:
    """Shipments by month and origin, what the model leaves out by months, and the inputs needed to reproduce them."""

    rows: tuple[SoybeanMonth, ...]
    left_out: tuple[LeftOut, ...]
    provenance: Mapping[str, object]

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values for JSON."""
        return {
            "rows": [asdict(row) for row in self.rows],
            "left_out": [asdict(one) for one in self.left_out],
            "provenance": dict(self.provenance),
        }


def compare_soybeans(
    *, horizon: str = "short", progress: Progress | None = None, cancelled: Cancelled | None = None
) -> SoybeanComparison:
    """Compute shipments of every month of 2025 from those of 2024, and put the observed ones beside them.

    Raises:
        InputError: PARAMETER_INVALID for an unknown horizon.
        ServiceError: CANCELLED.
    """
    law, shipped, rows, goods = load_law(), read_shipped(), [], load_yaml(GOODS)
    digests = []
    for month in _MONTHS:
        if progress is not None:
            progress("months", (month - 1) / len(_MONTHS))
        base = [one for one in shipped if (one.year, one.first) == (BASE_YEAR, month)]
        options = Options(
            by=("origin",), direction=EXPORT, to=goods["to"], baseline=_BASELINE, horizon=horizon
        )
        effects, digest = _effects(law, base, goods["hts"], month, options, cancelled)
        digests.append(digest)
        rows += [_row(one, *effects.get(one.origin, (None, 1.0)), shipped) for one in base]
    facts = {
        "law_version": law.version,
        "law_digest": law.digest,
        "horizon": horizon,
        "run_digests": digests,
    }
    left_out = (LeftOut(int(one["first"]), int(one["last"]), one["text"]) for one in goods["left_out"])
    return SoybeanComparison((*rows, *_sums(rows, shipped)), tuple(left_out), with_run_digest(facts))


def read_shipped() -> list[Shipped]:
    """Read the exports of 2024 and 2025."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [
            Shipped(
                row["origin"],
                int(row["first"][:4]),
                int(row["first"][5:]),
                int(row["last"][5:]),
                float(row["value_usd"]),
                float(row["tons"]),
            )
            for row in csv.DictReader(file)
        ]


def _effects(
    law: Law, base: Sequence[Shipped], hts: str, month: int, options: Options, cancelled: Cancelled | None
) -> tuple[dict[str, tuple[float | None, float]], object]:
    """Mean duty and relative quantity by origin over the days of a month, and the digest of the run."""
    sold = [one for one in base if one.value]
    table = pl.DataFrame(
        {
            "hts": [hts] * len(sold),
            "origin": [one.origin for one in sold],
            "customs_value": [one.value for one in sold],
        }
    )
    days = (f"{YEAR}-{month:02d}-{day:02d}" for day in (1, monthrange(YEAR, month)[1]))
    found = timeline(table, [library()["base"]], *days, law=law, options=options, cancelled=cancelled)
    means = found.scenarios[0].averages.select("origin", "effective_rate", "quantity_hat")
    effects = {origin: (rate, quantity) for origin, rate, quantity in means.iter_rows()}
    return effects, found.provenance["run_digest"]


def _row(base: Shipped, rate: float | None, quantity: float, shipped: Sequence[Shipped]) -> SoybeanMonth:
    month = base.first
    reported = (
        one.tons
        for one in shipped
        if (one.origin, one.year, one.first, one.last) == (base.origin, YEAR, month, month)
    )
    return SoybeanMonth(
        first=month,
        last=month,
        origin=base.origin,
        before=base.tons,
        price=base.value / base.tons if base.tons else None,
        rate=rate,
        model=base.tons * quantity,
        observed=next(reported, None),
    )


def _sums(rows: Sequence[SoybeanMonth], shipped: Sequence[Shipped]) -> list[SoybeanMonth]:
    """Sums of months of which only the sum was observed, and of the year where all of it was."""
    sums = [
        _sum(rows, one.origin, one.first, one.last, one.tons)
        for one in shipped
        if one.year == YEAR and one.first < one.last
    ]
    for origin in dict.fromkeys(row.origin for row in rows):
        own = [one for one in shipped if (one.origin, one.year) == (origin, YEAR)]
        whole = sum(one.last - one.first + 1 for one in own) == len(_MONTHS)
        sums.append(_sum(rows, origin, 1, 12, sum(one.tons for one in own) if whole else None))
    return sums


def _sum(
    rows: Sequence[SoybeanMonth], origin: str, first: int, last: int, observed: float | None
) -> SoybeanMonth:
    own = [row for row in rows if row.origin == origin and first <= row.first <= last]
    before = sum(row.before for row in own)
    value = sum(row.before * (row.price or 0.0) for row in own)
    duty = sum((row.rate or 0.0) * row.before * (row.price or 0.0) for row in own)
    return SoybeanMonth(
        first=first,
        last=last,
        origin=origin,
        before=before,
        price=value / before if before else None,
        rate=duty / value if value else None,
        model=sum(row.model for row in own),
        observed=observed,
    )
