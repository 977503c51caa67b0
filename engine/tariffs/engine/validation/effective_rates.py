"""Effective rates of the law beside published ones, and checks of its data: the verb behind `tariffs law validate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import sums_of
from tariffs.engine.law.checks import Check, check_data, count_confidence
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.loader import load_law, load_yaml
from tariffs.engine.law.values import read_day, read_rate
from tariffs.engine.line_duty.entry_line import entry_instant
from tariffs.engine.schedule import reference_data
from tariffs.engine.table_duty.duties import Dated, Duties, duties_of
from tariffs.engine.tables.prepare import PreparedTable, prepare_table

PUBLISHED = Path(__file__).parents[1] / "law" / "data" / "published.yaml"
ASSESSED, OWED, CHANGE = "assessed", "owed", "change"
TOP_ORIGINS = 15
SEEN_AT_LEAST = 80e6
"""Ordinary duty in USD from which an origin's preference share is held against what was paid."""
PREFERENCE_TOLERANCE = 0.04


@dataclass(frozen=True)
class RateFigure:
    """A published effective rate; `value` and `tolerance` are fractions, `view` is assessed, owed or change."""

    id: str
    day: date
    view: str
    value: float
    tolerance: float
    source: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Published:
    """The published figures, and the range that reconstruction from the acts gives on some days, slack included."""

    figures: tuple[RateFigure, ...]
    ranges: Mapping[date, tuple[float, float]]


@dataclass(frozen=True)
class DayRates:
    """Static effective rates on a day, as fractions of customs value.

    `by_authority` sums to `effective_rate`; `by_origin` has the origins with most trade, by their own value. `range`
    is what the day should show, or None.
    """

    date: str
    effective_rate: float
    owed_rate: float
    by_authority: Mapping[str, float]
    by_origin: Mapping[str, float]
    range: tuple[float, float] | None
    in_range: bool


@dataclass(frozen=True)
class Comparison:
    """A published figure beside ours. One out of tolerance is `explained` if the reason is known."""

    id: str
    date: str
    view: str
    published: float
    found: float
    difference: float
    tolerance: float
    within: bool
    explained: bool
    reason: str
    source: tuple[str, ...]


@dataclass(frozen=True)
class PreferenceShare:
    """The relief that tables take from an origin's ordinary duty, beside the relief seen in duty paid in 2024.

    Both are fractions of `due`, the duty in USD at the general rate on lines whose ordinary duty is seen by itself.
    """

    origin: str
    due: float
    share: float
    paid: float
    within: bool


@dataclass(frozen=True)
class Validation:
    """Rates by day, published figures, checks; `ok` if no rate leaves its range, no difference is unexplained and no
    check fails."""

    ok: bool
    law_version: str
    law_digest: str
    days: tuple[DayRates, ...]
    published: tuple[Comparison, ...]
    confidence: Mapping[str, Mapping[str, int]]
    checks: tuple[Check, ...]
    preferences: tuple[PreferenceShare, ...]

    def to_dict(self) -> dict[str, Any]:
        """The whole as plain values, for JSON."""
        return asdict(self)


def read_published(path: Path = PUBLISHED) -> Published:
    """The published figures of a file; the file says its form."""
    raw = load_yaml(path)
    usual = float(read_rate(raw["tolerance"]))
    slack = float(read_rate(raw["ranges"]["slack"]))
    figures = tuple(
        RateFigure(
            id=item["id"],
            day=read_day(item["date"]),
            view=item.get("view", ASSESSED),
            value=float(read_rate(item["value"])),
            tolerance=float(read_rate(item["tolerance"])) if "tolerance" in item else usual,
            source=tuple(item["source"]),
            reason=item.get("reason", ""),
        )
        for item in raw["figures"]
    )
    ranges = {
        read_day(day): (float(read_rate(low)) - slack, float(read_rate(high)) + slack)
        for day, (low, high) in raw["ranges"]["days"].items()
    }
    return Published(figures, ranges)


def validate_law(
    law: Law, dates: Sequence[date] | None = None, *, published: Published | None = None
) -> Validation:
    """Static effective rates of the law on the reference table, beside published figures; and checks of its data.

    Args:
        law: the law.
        dates: the days to rate; None for every day with a published figure or an expected range.
        published: the figures to compare with; the embedded ones if None.
    """
    published = published or read_published()
    days = sorted(
        set(dates) if dates is not None else {*published.ranges, *(f.day for f in published.figures)}
    )
    table = prepare_table(None, law)
    rates = {day: _rates(law, table, day, published.ranges.get(day)) for day in days}
    figures = [figure for figure in published.figures if figure.day in rates]
    changes = any(figure.view == CHANGE for figure in figures)
    baseline = _rates(law, table, read_day(table.baseline), None).effective_rate if changes else 0.0
    compared = tuple(_compare(figure, rates[figure.day], baseline) for figure in figures)
    preferences = preference_shares()
    checks = (*check_data(law), _check_preferences(preferences))
    return Validation(
        ok=all(day.in_range for day in rates.values())
        and all(one.within or one.explained for one in compared)
        and all(check.ok for check in checks),
        law_version=law.version,
        law_digest=law.digest,
        days=tuple(rates.values()),
        published=compared,
        confidence=count_confidence(law),
        checks=checks,
        preferences=preferences,
    )


def validate_days(days: Sequence[str] = ()) -> Validation:
    """`validate_law` of the embedded law, on days written as text; all days if none is given.

    Raises:
        InputError: ENTRY_DATE_INVALID or ENTRY_DATE_OUT_OF_COVERAGE.
    """
    law = load_law()
    wanted = [entry_instant(law, day).astimezone(law.zones[IMPORT]).date() for day in days]
    return validate_law(law, wanted or None)


# -- preferences -----------------------------------------------------------------------------------------------


def preference_shares() -> tuple[PreferenceShare, ...]:
    """Preference shares by origin beside what was paid, the largest first; members of the USMCA have shares by code."""
    members = reference_data.usmca_shares()["origin"].unique()
    seen = reference_data.ordinary_paid().filter(~pl.col("origin").is_in(members.implode()))
    shares = seen.join(reference_data.preference_shares(), on=["hts2", "origin"], how="left").fill_null(0.0)
    sums = shares.group_by("origin").agg(
        pl.col("due").sum().alias("total"),
        pl.col("paid").sum(),
        (pl.col("share") * pl.col("due")).sum().alias("relieved"),
    )
    large = sums.filter(pl.col("total") >= SEEN_AT_LEAST).sort("total", descending=True)
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


def _check_preferences(found: Sequence[PreferenceShare]) -> Check:
    names = tuple(one.origin for one in found if not one.within)
    text = f"preference shares of tables are what was paid in 2024, within {PREFERENCE_TOLERANCE:.0%} of the duty"
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
    value, duty = (sums_of(origin, one, len(lines.origins)) for one in amounts)
    top = np.argsort(-value, kind="stable")[:TOP_ORIGINS]
    return {lines.origins[index]: float(duty[index] / value[index]) for index in top if value[index] > 0}


def _compare(figure: RateFigure, rates: DayRates, baseline: float) -> Comparison:
    found = {
        ASSESSED: rates.effective_rate,
        OWED: rates.owed_rate,
        CHANGE: rates.effective_rate - baseline,
    }[figure.view]
    difference = found - figure.value
    within = abs(difference) <= figure.tolerance
    return Comparison(
        id=figure.id,
        date=rates.date,
        view=figure.view,
        published=figure.value,
        found=found,
        difference=difference,
        tolerance=figure.tolerance,
        within=within,
        explained=not within and bool(figure.reason),
        reason=figure.reason,
        source=figure.source,
    )
