"""Compute what the duty on a bill would be if its goods were of other origins, for all origins under many laws.

Goods that all laws treat as one are a group, so are origins. Classes of goods with the same terms of duty are priced at
once on all lines, in the cents of `quote_line`; lines whose duty is by quantity, or that a claim gives a special rate,
are quoted one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from tariffs.engine.base.array_utils import F64
from tariffs.engine.errors import InputError
from tariffs.engine.law.conditions import MODE, Fact
from tariffs.engine.law.law import Law
from tariffs.engine.law.set_shares import facts_with_claim_shares
from tariffs.engine.line_duty.class_profile import StackedAtom, profile_of, stack_atoms
from tariffs.engine.line_duty.entry_dates import LawDay, law_day
from tariffs.engine.line_duty.entry_line import ResolvedLine
from tariffs.engine.line_duty.quote import price
from tariffs.engine.line_duty.segment import LawSegment
from tariffs.engine.rating.fits import Stacker, claims_read, conditions_read
from tariffs.engine.rating.law_fingerprint import law_fingerprint
from tariffs.engine.schedule.units import convert
from tariffs.firm.bill_costs import RuleNumbers, cents
from tariffs.firm.law_days import Laws

_COLUMNS = ("general", "other")
_FLAT, _TOPUP, _ORDINARY = frozenset({"add", "total"}), "topup_to", "ordinary"
_TIE = 2e-5
"""Cents by which a product of floats may fall short of an exact half cent."""
Facts = frozenset[tuple[str, Fact]]


class OriginDuty(NamedTuple):
    """Duty on the rows of a bill that can be rated, were their goods of an origin; the others are left out."""

    origin: str
    duty: Decimal
    rated: int
    left_out: int


class OriginDuties(NamedTuple):
    """Duties by origin, the least first, and by row the origin of the least duty with its duty."""

    origins: tuple[OriginDuty, ...]
    least: Mapping[int, tuple[str, Decimal]]


class _Term(NamedTuple):
    """Part of a layer: a share of the value at a rate, at the ordinary rate, or at what the rate exceeds that by."""

    share: float
    kind: str
    rate: float
    column: str


class _Group(NamedTuple):
    """Lines that all laws treat as one: their codes' scopes in each law, facts, rows, and places among all lines."""

    scopes: Mapping[int, int]
    facts: Facts
    lines: Mapping[int, ResolvedLine]
    places: slice


class _DatedLaw(NamedTuple):
    """A law on the day of entry with its segment."""

    law: Law
    when: LawDay
    segment: LawSegment


Layers = tuple[tuple[_Term, ...], ...]
_Quoted = tuple[_DatedLaw, str]
"""Law and origin that lines without terms are quoted under."""


def origin_duties(
    lines: Mapping[int, ResolvedLine],
    scenarios: Sequence[Laws],
    day: date,
    known_on: str | date | None,
    origins: Iterable[str],
    cancelled: Callable[[], bool] = lambda: False,
) -> list[OriginDuties]:
    """Compute the duties of lines from each origin under each scenario; expected ones under a mixture.

    Args:
        lines: lines by row, read on the day.
        scenarios: the laws of each.
        day, known_on: as in `quote_line`.
        origins: ISO codes.
        cancelled: asked before each scenario; True ends early.
    """
    sides: dict[Hashable, _DatedLaw] = {}
    keys = []
    for laws in scenarios:
        key = []
        for weight, law in laws:
            when = law_day(law, day, known_on)
            same = law_fingerprint(law, law.in_force(when.instant, when.known), when.instant, when.known)
            sides.setdefault(same, _DatedLaw(law, when, when.segment(law)))
            key.append((float(weight), same))
        keys.append(tuple(key))
    rater = _OriginRater(list(sides.values()), lines, list(origins))
    found: dict[Hashable, OriginDuties] = {}
    for each in keys:
        if not cancelled() and each not in found:
            found[each] = rater.duties([(weight, sides[same]) for weight, same in each])
    return [found[each] for each in keys if each in found]


class _OriginRater:
    """Rates groups of lines from groups of origins."""

    def __init__(
        self, sides: Sequence[_DatedLaw], lines: Mapping[int, ResolvedLine], origins: Sequence[str]
    ) -> None:
        self._sides = sides
        self._groups = self._grouped(lines)
        ordered = [line for group in self._groups for line in group.lines.values()]
        self._value = np.array([float(line.goods.value) for line in ordered])
        self._ordinary = {name: np.array([_ordinary(line, name) for line in ordered]) for name in _COLUMNS}
        self._origins: dict[Hashable, list[str]] = {}
        for origin in origins:
            self._origins.setdefault(self._treatment(origin), []).append(origin)
        self._numbers: dict[Hashable, int] = {}
        self._duties: list[F64 | _Quoted] = []
        self._stacked: dict[Hashable, Layers | None] = {}
        self._shared: dict[tuple[int, Facts], dict[int, int]] = {}
        self._of_segment: dict[int, list[tuple[int, Hashable, str]]] = {}
        self._rules = RuleNumbers()
        # By the identity of rows, which the segments hold.
        self._decided: dict[Hashable, Layers | None] = {}
        self._quotes: dict[tuple[int, int], F64] = {}

    def _grouped(self, lines: Mapping[int, ResolvedLine]) -> list[_Group]:
        codes = {line.article.code for line in lines.values()}
        by_side = [one.segment.index.of_codes(codes) for one in self._sides]
        scopes = {code: tuple(one[code] for one in by_side) for code in codes}
        found: dict[tuple[tuple[int, ...], Facts], dict[int, ResolvedLine]] = {}
        for row, line in lines.items():
            facts = frozenset({**line.facts, "": line.line.mode}.items())
            found.setdefault((scopes[line.article.code], facts), {})[row] = line
        groups, start = [], 0
        numbers = [one.segment.number for one in self._sides]
        for (own, facts), members in found.items():
            of_law = dict(zip(numbers, own, strict=True))
            groups.append(_Group(of_law, facts, members, slice(start, start + len(members))))
            start += len(members)
        return groups

    def _treatment(self, origin: str) -> Hashable:
        law = self._sides[0].law
        symbols = tuple(one.symbol for one in law.programs.values() if origin in one.members)
        scopes = tuple(one.segment.index.of_origin(origin) for one in self._sides)
        return scopes, symbols, origin in law.refused_origins

    def duties(self, weighted: Sequence[tuple[float, _DatedLaw]]) -> OriginDuties:
        """Rate all lines from all origins under the laws of a scenario."""
        sums, rated = np.zeros(len(self._origins)), np.zeros(len(self._origins), dtype=np.int64)
        least: dict[int, tuple[str, Decimal]] = {}
        firsts = [members[0] for members in self._origins.values()]
        for number, group in enumerate(self._groups):
            numbers = zip(*(self._of_origins(side, group) for _, side in weighted), strict=True)
            places: dict[tuple[int, ...], int] = {}
            column = [places.setdefault(one, len(places)) for one in numbers]
            duty = np.array(
                [
                    sum(
                        weight * self._duty(one, number)
                        for one, (weight, _) in zip(key, weighted, strict=True)
                    )
                    for key in places
                ]
            )
            known = ~np.isnan(duty)
            sums += np.where(known, duty, 0.0).sum(axis=1)[column]
            rated += known.sum(axis=1)[column]
            least |= _least(group, duty, [firsts[column.index(place)] for place in range(len(places))])
        count = len(self._value)
        found = [
            OriginDuty(origin, cents(Decimal(str(total)) / 100), int(some), count - int(some))
            for members, total, some in zip(self._origins.values(), sums.tolist(), rated, strict=True)
            for origin in members
        ]
        return OriginDuties(tuple(sorted(found, key=lambda one: (one.left_out, one.duty, one.origin))), least)

    def _of_origins(self, side: _DatedLaw, group: _Group) -> list[int]:
        """Number of the terms of a group from each group of origins."""
        scopes = group.scopes[side.segment.number]
        shared = self._shared.setdefault((side.segment.number, group.facts), {})
        found = []
        for mask, treatment, origin in self._reaches(side):
            reach = scopes & mask
            number = shared.get(reach) if origin not in side.law.refused_origins else None
            if number is None:
                number = self._number(side, reach, group.facts, treatment, origin)
            found.append(number)
        return found

    def _reaches(self, side: _DatedLaw) -> list[tuple[int, Hashable, str]]:
        """Scopes of each group of origins, its treatment and its first origin."""
        segment = side.segment
        if segment.number not in self._of_segment:
            mask = -1 if side.law.set_claims else segment.row_bits
            self._of_segment[segment.number] = [
                (segment.index.of_origin(members[0]) & mask, treatment, members[0])
                for treatment, members in self._origins.items()
            ]
        return self._of_segment[segment.number]

    def _number(self, side: _DatedLaw, reach: int, facts: Facts, treatment: Hashable, origin: str) -> int:
        """Number of the terms of goods in these scopes from an origin; shared by origins but for quotes."""
        key = side.segment.number, reach, facts
        if key not in self._stacked:
            self._stacked[key] = self._layers(side, reach, facts)
        terms = None if origin in side.law.refused_origins else self._stacked[key]
        own: Hashable = (key, treatment) if terms is None else terms
        if own not in self._numbers:
            self._numbers[own] = len(self._duties)
            self._duties.append((side, origin) if terms is None else self._priced(terms))
        if terms is not None:
            self._shared[key[0], facts][reach] = self._numbers[own]
        return self._numbers[own]

    def _layers(self, side: _DatedLaw, reach: int, facts: Facts) -> Layers | None:
        """Terms of the duty of goods in these scopes; None if they are to be quoted one by one."""
        law, segment = side.law, side.segment
        rows, in_force = segment.candidates(reach), segment.in_force
        if any(row.prohibits for _, fitting in rows for row in fitting):
            return None
        # Shares that a scenario sets have scopes of their own: such a law has no terms in common with others.
        own = (segment.number, reach) if law.set_claims else (self._rules.of(segment), in_force.revive)
        decided = own, tuple((one.index, *map(id, fitting)) for one, fitting in rows), facts
        if decided not in self._decided:
            self._decided[decided] = self._stacked_layers(side, reach, facts)
        return self._decided[decided]

    def _stacked_layers(self, side: _DatedLaw, reach: int, facts: Facts) -> Layers | None:
        law, segment = side.law, side.segment
        rows, in_force = segment.candidates(reach), segment.in_force
        read = claims_read(rows, in_force, conditions_read(rows, in_force))
        declared = {name or MODE: fact for name, fact in facts if name or (fact and segment.reads_mode)}
        shares = facts_with_claim_shares(
            law, segment.instant, lambda one: segment.reaches(one, reach), declared
        )
        try:
            return _layers(
                stack_atoms(segment, Stacker(law, in_force, rows, segment.program_claims), shares, read)
            )
        except InputError:
            return None

    def _priced(self, layers: Layers) -> F64:
        """Duty of all lines in cents: each layer is rounded half up."""
        nothing = np.zeros(len(self._value))
        found = nothing.copy()
        for terms in layers:
            amount = nothing
            for one in terms:
                ordinary = self._ordinary[one.column] if one.column else nothing
                rate = ordinary if one.kind == _ORDINARY else one.rate - ordinary
                amount = amount + self._value * one.share * (np.maximum(rate, 0.0) if one.kind else one.rate)
            found += np.floor(amount * 100 + 0.5 + _TIE)
        return found

    def _duty(self, number: int, group: int) -> F64:
        """Duty of the lines of a group in cents, NaN where they have none."""
        duty, own = self._duties[number], self._groups[group]
        if isinstance(duty, np.ndarray):
            return duty[own.places]
        key = number, group
        if key not in self._quotes:
            self._quotes[key] = _quoted(*duty, own)
        return self._quotes[key]


def _quoted(side: _DatedLaw, origin: str, group: _Group) -> F64:
    found = np.full(len(group.lines), np.nan)
    for place, line in enumerate(group.lines.values() if origin not in side.law.refused_origins else ()):
        article = replace(line.article, origin=origin)
        reading = line._replace(when=side.when, article=article, goods=line.goods._replace(origin=origin))
        try:
            quote = price(side.law, reading, profile_of(side.law, reading))
        except InputError:
            continue
        if not quote.prohibited:
            found[place] = float(quote.assessed * 100)
    return found


def _ordinary(line: ResolvedLine, column: str) -> float:
    """Ordinary rate of a line as a fraction of its value; NaN where it cannot be computed."""
    rate = line.article.line.other if column == "other" else line.article.line.general
    found = float(rate.ad_valorem) if rate.computable else np.nan
    goods = line.goods
    for usd, unit in rate.specific:
        if goods.value:
            quantity = None if goods.quantity is None else convert(goods.quantity, goods.unit or unit, unit)
            found += np.nan if quantity is None else float(usd * quantity / goods.value)
    return found


def _layers(outcome: Sequence[StackedAtom]) -> Layers | None:
    """Terms of each layer of a class; None if it is charged by quantity, on processing, or at a special rate."""
    found: dict[Hashable, list[_Term]] = {}
    for atom in outcome:
        for place, row in enumerate(atom.assessed):
            kind, source = row.layer.row.kind, row.ordinary
            by_ordinary = kind == _ORDINARY or (kind == _TOPUP and not row.layer.row.suspended)
            if kind not in _FLAT and kind not in (_ORDINARY, _TOPUP):
                if row.layer.charged:
                    return None
                continue
            if row.base.processing or (by_ordinary and source.column not in ("", *_COLUMNS)):
                return None
            column = source.column if by_ordinary and source.needed else ""
            share, rate = float(atom.weight * row.base.value), float(row.layer.row.rate or 0)
            if column or share:
                # A line of one atom has a layer a row; those of several atoms are merged.
                key = place if len(outcome) == 1 else (row.key, source.column)
                found.setdefault(key, []).append(_Term(share, kind if by_ordinary else "", rate, column))
    return tuple(map(tuple, found.values()))


def _least(group: _Group, duties: F64, origins: Sequence[str]) -> dict[int, tuple[str, Decimal]]:
    """Origin of the least duty of each row that has one."""
    matrix = np.where(np.isnan(duties), np.inf, duties)
    best = matrix.argmin(axis=0)
    lowest = matrix[best, np.arange(len(best))]
    return {
        row: (origins[place], cents(Decimal(str(duty)) / 100))
        for row, place, duty in zip(group.lines, best.tolist(), lowest.tolist(), strict=True)
        if duty != np.inf
    }
