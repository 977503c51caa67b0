"""Compare effective rates of the law with published ones and check the law data, for `tariffs law validate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import sums_of
from tariffs.engine.law.checks import Check, check_data, count_confidence
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.loader import load_law
from tariffs.engine.law.values import read_day
from tariffs.engine.line_duty.entry_dates import entry_instant
from tariffs.engine.schedule import reference_data
from tariffs.engine.table_duty.duties import Dated, Duties, duties_of
from tariffs.engine.tables.default_shares import basis_of
from tariffs.engine.tables.prepare import PreparedTable, prepare_table
from tariffs.engine.validation.figures import Comparison, PublishedFigure, read_figures, read_ranges

ASSESSED, OWED, CHANGE = MEASURES = ("assessed", "owed", "change")
TOP_ORIGINS = 15
LEAST_DUTY = 80e6
"""General duty in USD from which the preference share of an origin is checked against duty paid."""
PREFERENCE_TOLERANCE = 0.04


@dataclass(frozen=True)
class DayRates:
    """Static effective rates on a day, as fractions of customs value.

    `by_authority` sums to `effective_rate`; `by_origin` has the origins with most trade, by their own value. `range`
    is the range in which the effective rate must lie, or None.
    """

    date: str
    effective_rate: float
    owed_rate: float
    by_authority: Mapping[str, float]
    by_origin: Mapping[str, float]
    range: tuple[float, float] | None
    in_range: bool


@dataclass(frozen=True)
class PreferenceShare:
    """Relief from an origin's general duty in tables, and the relief observed in duty paid in 2024.

    Both are fractions of `due`, the duty in USD at the general rate on lines that bear no other duty.
    """

    origin: str
    due: float
    share: float
    paid: float
    within: bool


@dataclass(frozen=True)
class Validation:
    """Rates by day, published figures and checks.

    `ok` if every rate is in its range, every difference has a reason and every check passes. `claim_shares` are the
    settings of the switches that select shares of claims for lines that declare none.
    """

    ok: bool
    law_version: str
    law_digest: str
    claim_shares: Mapping[str, str]
    days: tuple[DayRates, ...]
    published: tuple[Comparison, ...]
    confidence: Mapping[str, Mapping[str, int]]
    checks: tuple[Check, ...]
    preferences: tuple[PreferenceShare, ...]

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values for JSON."""
        return asdict(self) | {"published": [_to_dict(comparison) for comparison in self.published]}


def _to_dict(comparison: Comparison) -> dict[str, Any]:
    figure = comparison.figure
    return {
        "id": figure.id,
        "date": figure.on,
        "view": figure.measure,
        "published": figure.value,
        "found": comparison.ours,
        "difference": comparison.difference,
        "tolerance": figure.tolerance,
        "within": comparison.within,
        "explained": comparison.explained,
        "reason": figure.reason,
        "source": figure.source,
    }


def validate_law(
    law: Law, dates: Sequence[date] | None = None, *, figures: Sequence[PublishedFigure] | None = None
) -> Validation:
    """Compare static effective rates on the reference table with published ones, and check the law data.

    Args:
        dates: the days to rate; None for every day with a published figure or an expected range.
        figures: the figures to compare with; the embedded ones if None.
    """
    figures = read_figures(MEASURES) if figures is None else figures
    ranges = read_ranges()
    days = sorted({*ranges, *(read_day(figure.on) for figure in figures)} if dates is None else set(dates))
    table = prepare_table(None, law)
    rates = {day.isoformat(): _rates(law, table, day, ranges.get(day)) for day in days}
    figures = [figure for figure in figures if figure.on in rates]
    changes = any(figure.measure == CHANGE for figure in figures)
    baseline = _rates(law, table, read_day(table.baseline), None).effective_rate if changes else 0.0
    compared = tuple(Comparison(figure, _measured(figure, rates[figure.on], baseline)) for figure in figures)
    preferences = preference_shares()
    checks = (*check_data(law), _check_preferences(preferences))
    return Validation(
        ok=all(day.in_range for day in rates.values())
        and all(comparison.within or comparison.explained for comparison in compared)
        and all(check.ok for check in checks),
        law_version=law.version,
        law_digest=law.digest,
        claim_shares=dict(basis_of(law)),
        days=tuple(rates.values()),
        published=compared,
        confidence=count_confidence(law),
        checks=checks,
        preferences=preferences,
    )


def validate_days(days: Sequence[str] = ()) -> Validation:
    """Run `validate_law` on the embedded law, on days written as text; all days if none is given.

    Raises:
        InputError: ENTRY_DATE_INVALID or ENTRY_DATE_OUT_OF_COVERAGE.
    """
    law = load_law()
    dates = [entry_instant(law, day).astimezone(law.zones[IMPORT]).date() for day in days]
    return validate_law(law, dates or None)


# -- preferences -----------------------------------------------------------------------------------------------


def preference_shares() -> tuple[PreferenceShare, ...]:
    """Compare preference shares by origin with duty paid, largest first, without members of the USMCA."""
    members = reference_data.usmca_shares()["origin"].unique()
    observed = reference_data.ordinary_paid().filter(~pl.col("origin").is_in(members.implode()))
    shares = observed.join(reference_data.preference_shares(), on=["hts2", "origin"], how="left")
    sums = (
        shares.fill_null(0.0)
        .group_by("origin")
        .agg(
            pl.col("due").sum().alias("total"),
            pl.col("paid").sum(),
            (pl.col("share") * pl.col("due")).sum().alias("relieved"),
        )
    )
    large = sums.filter(pl.col("total") >= LEAST_DUTY).sort("total", descending=True)
    return tuple(
        PreferenceShare(
            origin,
            due,
            relieved / due,
            1 - paid / due,
            abs(relieved - due + paid) <= PREFERENCE_TOLERANCE * due,
        )
        for origin, due, paid, relieved in large.iter_rows()
    )


def _check_preferences(shares: Sequence[PreferenceShare]) -> Check:
    names = tuple(share.origin for share in shares if not share.within)
    text = f"preference shares of tables are within {PREFERENCE_TOLERANCE:.0%} of the duty of what was paid in 2024"
    return Check("preferences", not names, text, names)


# -- rates -----------------------------------------------------------------------------------------------------


def _rates(law: Law, table: PreparedTable, day: date, expected: tuple[float, float] | None) -> DayRates:
    duties = duties_of(law, table.lines, Dated([entry_instant(law, day)], [law.as_of], None), lambda: None)
    value = float((table.lines.value - duties.prohibited).sum())
    rate = float(duties.duty.sum()) / value
    by_authority = zip(duties.authorities, duties.by_authority.sum(axis=0) / value, strict=True)
    return DayRates(
        date=day.isoformat(),
        effective_rate=rate,
        owed_rate=float(duties.owed.sum()) / value,
        by_authority={name: float(share) for name, share in by_authority if share},
        by_origin=_by_origin(table, duties),
        range=expected,
        in_range=expected is None or expected[0] <= rate <= expected[1],
    )


def _by_origin(table: PreparedTable, duties: Duties) -> dict[str, float]:
    lines = table.lines
    origin = lines.origin.astype(np.int64)
    amounts = (lines.value - duties.prohibited, duties.duty)
    value, duty = (sums_of(origin, amount, len(lines.origins)) for amount in amounts)
    top = np.argsort(-value, kind="stable")[:TOP_ORIGINS]
    return {lines.origins[index]: float(duty[index] / value[index]) for index in top if value[index] > 0}


def _measured(figure: PublishedFigure, rates: DayRates, baseline: float) -> float:
    return {
        ASSESSED: rates.effective_rate,
        OWED: rates.owed_rate,
        CHANGE: rates.effective_rate - baseline,
    }[figure.measure]
