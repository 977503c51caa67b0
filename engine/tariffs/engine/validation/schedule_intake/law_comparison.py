"""Compare headings and lines of a release of the schedule with the law, and ask a person where they disagree."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from tariffs.engine.law.law import Law
from tariffs.engine.law.model import Row
from tariffs.engine.line_duty.entry_dates import entry_instant
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.schedule.rates import AD_VALOREM, FREE, parse_rate
from tariffs.engine.validation.schedule_intake.releases import Provision, ProvisionChange

AGREES = "agrees"
_ADDED = re.compile(
    r"the duty provided in the applicable subheading(?: \+ (?:a duty of )?([\d.]+)%)?", re.IGNORECASE
)
_NO_CHANGE = re.compile(r"no change", re.IGNORECASE)
_SECTION = 6
"""Digits of a heading that headings of one authority mostly share."""


class HeadingCharge(NamedTuple):
    """A measure that charges or relieves under a heading, with its rates, fractions, on the day."""

    measure: str
    rates: tuple[Decimal, ...]


class IntakeFinding(NamedTuple):
    """A change of the schedule beside the law.

    Attributes:
        change: the change.
        law: what the law charges under the heading on the day; of a line, nothing.
        verdict: `agrees`, or what disagrees and a person has to settle.
    """

    change: ProvisionChange
    law: tuple[HeadingCharge, ...]
    verdict: str


@dataclass(frozen=True)
class LawHeadings:
    """Headings of a law's measures on imports, and what is charged under each on a day."""

    law: Law
    day: date

    @cached_property
    def ever(self) -> Mapping[str, tuple[str, ...]]:
        """List the measures that name each heading in any period."""
        found: dict[str, dict[str, None]] = defaultdict(dict)
        for measure in self.law.measures.values():
            for row in (row for period in measure.periods for row in period.rows):
                for heading in _rates_by_heading(row):
                    found[heading][measure.id] = None
        return {heading: tuple(names) for heading, names in found.items()}

    @cached_property
    def charged(self) -> Mapping[str, tuple[HeadingCharge, ...]]:
        """List what is charged under each heading on the day."""
        found: dict[str, dict[str, set[Decimal]]] = defaultdict(lambda: defaultdict(set))
        for active in self.law.in_force(entry_instant(self.law, self.day)).actives:
            for row in (row for row in active.rows if not row.absent):
                for heading, rate in _rates_by_heading(row).items():
                    found[heading][active.measure.id].add(rate)
        return {
            heading: tuple(HeadingCharge(name, tuple(sorted(rates))) for name, rates in measures.items())
            for heading, measures in found.items()
        }

    def authority_near(self, heading: str) -> str:
        """Find the authority of most measures under the headings next to one; empty if there are none."""
        near = [
            self.law.measures[name].authority
            for other, names in self.ever.items()
            if other[:_SECTION] == heading[:_SECTION]
            for name in names
        ]
        return max(sorted(set(near)), key=near.count, default="")


def heading_findings(changes: Iterable[ProvisionChange], headings: LawHeadings) -> list[IntakeFinding]:
    """Compare changed headings with the law on the day."""
    return [_heading_finding(change, headings) for change in changes]


def line_findings(changes: Iterable[ProvisionChange], day: date) -> list[IntakeFinding]:
    """Compare changed lines with the schedule that ordinary duty is computed from on the day."""
    return [_line_finding(change, day) for change in changes]


def dotted(code: str) -> str:
    """Write a heading as the schedule does: 9903.88.15."""
    return ".".join(filter(None, (code[:4], code[4:6], code[6:8], code[8:])))


def rate_of_text(text: str) -> Decimal | None:
    """Read what a heading adds, or charges in all, from its rate text; None if it is no share of the value.

    `The duty provided in the applicable subheading + 25%` and `25%` give 0.25, `No change` and `Free` 0.
    """
    if found := _ADDED.fullmatch(text):
        return Decimal(found[1] or 0) / 100
    if _NO_CHANGE.fullmatch(text):
        return Decimal(0)
    rate = parse_rate(text)
    return rate.ad_valorem if rate.kind in (AD_VALOREM, FREE) else None


def percent(rate: Decimal) -> str:
    """Write a fraction in percent."""
    return f"{(rate * 100).normalize():f}%"


def _rates_by_heading(row: Row) -> dict[str, Decimal]:
    """List the headings of a row with the rate reported under each."""
    rate = Decimal(0) if row.suspended or row.rate is None else row.rate
    rates = {row.heading_at_zero: Decimal(0), row.split_heading: Decimal(0), row.heading: rate}
    return {heading: rate for heading, rate in rates.items() if heading}


def _heading_finding(change: ProvisionChange, headings: LawHeadings) -> IntakeFinding:
    heading = dotted(change.code)
    charged, named = headings.charged.get(heading, ()), headings.ever.get(heading, ())
    if change.after is None or change.after.status:
        verdict = _of_ended(charged, headings.day)
    else:
        verdict = _of_open(change.after, charged, named, headings.day)
    return IntakeFinding(change, charged, verdict)


def _of_ended(charged: Iterable[HeadingCharge], day: date) -> str:
    charging = [one.measure for one in charged if any(one.rates)]
    return f"the law charges under it on {day}: {', '.join(charging)}" if charging else AGREES


def _of_open(after: Provision, charged: tuple[HeadingCharge, ...], named: tuple[str, ...], day: date) -> str:
    if not named:
        return "the law does not have it"
    if not charged:
        return f"the law has it in {', '.join(named)}, and charges nothing under it on {day}"
    stated = [rate for rate in map(rate_of_text, after.rates) if rate is not None]
    if rate_of_text(after.general) is None:
        return f"its rate is no share of the value: {after.general or 'none is stated'}"
    rates = sorted({rate for one in charged for rate in one.rates})
    if not set(rates).isdisjoint(stated):
        return AGREES
    listed, measures = (
        ", ".join(percent(rate) for rate in rates),
        ", ".join(one.measure for one in charged),
    )
    return f"it states {percent(stated[0])}, and the law charges {listed} in {measures}"


def _line_finding(change: ProvisionChange, day: date) -> IntakeFinding:
    ours = load_schedule().find(change.code, day)
    after = change.after
    if after is None:
        verdict = AGREES if ours is None or ours.suffix_note else f"our schedule of {day} still has the line"
    elif ours is None:
        verdict = f"our schedule of {day} does not have the line"
    elif replace(parse_rate(after.general), text="") != replace(ours.general, text=""):
        verdict = f"it states {after.general or 'no rate'}, our schedule {ours.general.text or 'no rate'}"
    else:
        verdict = AGREES
    return IntakeFinding(change, (), verdict)
