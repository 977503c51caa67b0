"""What an answer is apart from money, worked out once for all lines that differ in value, quantity and charges alone.

A plan holds no law: plans are few, and a law that nobody asks for any more must be free to go.
"""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.errors import InputError
from tariffs.engine.law.conditions import Fact
from tariffs.engine.law.law import InForce, Law
from tariffs.engine.law.matching import Candidates, Reach, candidates
from tariffs.engine.law.notes import Note
from tariffs.engine.law.switch_sensitivity import switches_behind
from tariffs.engine.line_duty.entry_line import ResolvedLine
from tariffs.engine.line_duty.fees import mpf_base
from tariffs.engine.line_duty.linear_quote import LARGEST_VALUE, LinearQuote, linear_quote
from tariffs.engine.line_duty.prohibition import Prohibited, prohibited_by
from tariffs.engine.line_duty.rounding import QuoteLayers, joint_facts, round_layers, spread, sum_layers
from tariffs.engine.rating.fits import (
    PROCESSING_CLAIM,
    Goods,
    Rater,
    claims_read,
    conditions_read,
    first_fit,
    schedule_rates,
)
from tariffs.engine.schedule.rates import FREE
from tariffs.engine.schedule.units import convert
from tariffs.engine.tables.claim_shares import facts_with_claim_shares

PLANS_KEPT = 2048
"""Plans of all laws together; one takes 5 to 20 KB."""
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True, eq=False)
class QuotePlan:
    """What all lines of one code, origin, schedule and set of claims have in common in a segment of a law.

    Attributes:
        facts: as declared, with the shares that the law's scenario sets.
        read: every claim that could be read.
        missing: the facts asked for and not declared.
        assumptions: what is taken for granted of facts neither declared nor asked for.
        notes: measures that may touch the line and are not modelled.
        switches: those the answer rests on, with their values.
        scaled: the line for one dollar; None if something hangs on a quantity or on dollars declared.
        mpf_share: the part of the value on which the processing fee is due, where the line is scaled.
        prohibited: the measures that prohibit the line or a part of it.
    """

    facts: Mapping[str, Fact]
    read: frozenset[str]
    missing: tuple[str, ...]
    assumptions: tuple[str, ...]
    notes: tuple[Note, ...]
    switches: Mapping[str, str]
    linear_quote: LinearQuote | None
    mpf_share: Decimal
    prohibited: Prohibited

    def scaled_for(self, value: Decimal) -> LinearQuote | None:
        """The line for one dollar, if lines of this value are that line scaled."""
        return self.linear_quote if 0 < value < LARGEST_VALUE else None


_PLANS: BoundedCache[Hashable, QuotePlan] = BoundedCache(PLANS_KEPT)


def plan_of(law: Law, line: ResolvedLine) -> QuotePlan:
    """The plan of a line, kept for the next.

    Raises:
        LawError: LAW_INVALID if more facts are asked of one line than may be.
    """
    return _PLANS.get(plan_key(law, line), lambda: make_plan(law, line))


def cached_plan(law: Law, line: ResolvedLine) -> QuotePlan | None:
    """The plan of a line if it is in memory."""
    return _PLANS.find(plan_key(law, line))


def plan_key(law: Law, line: ResolvedLine) -> Hashable:
    """What tells plans apart; it names a law and a schedule without keeping them alive."""
    return (
        weakref.ref(law),
        weakref.ref(line.schedule),
        law.moment(line.entry, line.known),
        line.article.code,
        line.article.origin,
        line.article.line.vintage,
        line.article.line.general if line.goods.is_rate_stated else None,
        frozenset(line.facts.items()),
    )


def make_plan(law: Law, line: ResolvedLine) -> QuotePlan:
    """The plan of a line, worked out anew; raises as `plan_of`."""
    in_force = law.in_force(line.entry, line.known)
    article = line.article
    goods = (article.code, article.origin)
    rows = candidates(in_force, *goods)
    read = claims_read(rows, in_force)
    facts = facts_with_claim_shares(law, in_force, line.entry, goods, line.facts)
    asked = tuple(name for name in sorted(read - facts.keys()) if _is_asked(law, in_force, name, goods))
    silent = read - _impossible(law, article.origin) - facts.keys() - set(asked)
    rater = _rater(law, line, line.goods, rows)
    prohibited = prohibited_by(law, rater, rows, facts, read)
    if prohibited.whole and prohibited.claims.isdisjoint(asked):
        asked = ()
    bare = QuotePlan(
        facts=facts,
        read=read,
        missing=asked,
        assumptions=_assumptions(law, rows, silent),
        notes=(
            *prohibited.notes,
            *_not_open(law, line, rows, facts),
            *_not_modelled(in_force, goods),
        ),
        switches=switches_behind(
            law, line.entry, line.known, lambda scope: Reach.of(scope, in_force).fits(*goods)
        ),
        linear_quote=None,
        mpf_share=mpf_base(law, article.origin, _ONE, facts) * (_ONE - prohibited.share),
        prohibited=prohibited,
    )
    return replace(bare, linear_quote=_scaled(law, line, bare))


def layers_for(law: Law, line: ResolvedLine, plan: QuotePlan) -> QuoteLayers:
    """A line settled by its plan: scaled where it can be; raises as `compute_layers`."""
    linear_quote = plan.scaled_for(line.goods.value)
    return compute_layers(law, line, plan) if linear_quote is None else linear_quote.at(int(line.goods.value))


def compute_layers(law: Law, line: ResolvedLine, plan: QuotePlan) -> QuoteLayers:
    """A line settled for its own value and quantity.

    Raises:
        InputError: as the facts and rates of the line have it.
    """
    in_force = law.in_force(line.entry, line.known)
    rows = candidates(in_force, line.article.code, line.article.origin)
    rater = _rater(law, line, line.goods, rows)
    sums = sum_layers(law, rater, plan.facts, plan.read)
    joint = joint_facts(law, plan.facts, plan.missing, conditions_read(rows, in_force))
    return round_layers(law, sums, spread(law, rater, plan.read, joint))


def _scaled(law: Law, line: ResolvedLine, plan: QuotePlan) -> LinearQuote | None:
    if PROCESSING_CLAIM in plan.facts:
        return None
    in_force = law.in_force(line.entry, line.known)
    article = line.article
    rows = candidates(in_force, article.code, article.origin)
    # Without a quantity, whatever hangs on one refuses the line, and so does what hangs on none but cannot be rated.
    goods = replace(line.goods, value=_ONE, quantity=None, unit="")
    rater = _rater(law, line, goods, rows)
    try:
        sums = sum_layers(law, rater, plan.facts, plan.read)
        joint = joint_facts(law, plan.facts, plan.missing, conditions_read(rows, in_force))
        possible = [sum_layers(law, rater, facts, plan.read) for facts in joint]
    except InputError:
        return None
    return linear_quote(law, sums, possible)


def _rater(law: Law, line: ResolvedLine, goods: Goods, rows: Candidates) -> Rater:
    """A rater of goods, which are the line's or stand for it at another value."""
    rates = schedule_rates(law, goods, line.schedule)
    return Rater(law, law.in_force(line.entry, line.known), goods, rows, rates, convert)


# -- facts -----------------------------------------------------------------------------------------------------


def _is_asked(law: Law, in_force: InForce, name: str, goods: tuple[str, str]) -> bool:
    claim = law.claims.get(name)
    return claim is not None and any(Reach.of(scope, in_force).fits(*goods) for scope in claim.asks)


def _assumptions(law: Law, rows: Candidates, silent: frozenset[str]) -> tuple[str, ...]:
    """What is taken for granted of claims that are neither declared nor asked for."""
    tests = [(row, condition) for _, reaching in rows for row in reaching for condition in row.conditions]
    presumed = {
        condition.claim: "taken as claimed"
        for row, condition in tests
        if row.undeclared_applies and not condition.op and not condition.negated
    } | {
        condition.claim: f"taken as {condition.opposite}"
        for _, condition in tests
        if condition.op and condition.negated
    }
    presumed |= {active.measure.tested_on: "taken as the date of entry" for active, _ in rows}
    return tuple(
        f"{name}: not declared, so {presumed.get(name, 'not granted or charged')}"
        for name in sorted(silent & law.claims.keys())
    )


def _not_open(law: Law, line: ResolvedLine, rows: Candidates, facts: Mapping[str, Fact]) -> tuple[Note, ...]:
    """Preferences that the line claims and no special program grants to its goods."""
    rate_of = schedule_rates(law, line.goods, line.schedule)
    ordinary = [row for _, reaching in rows for row in reaching if row.kind == "ordinary"]
    claims = sorted({program.claim for program in law.programs.values()})
    closed = []
    for claim in (name for name in claims if facts.get(name)):
        alone = {**facts, **dict.fromkeys(claims, False), claim: True}
        row = first_fit(ordinary, alone)
        if row is None:
            continue
        rate, program = rate_of(row.column, alone)
        if not program and rate.kind != FREE:
            closed.append(claim)
    return tuple(
        Note(
            "PREFERENCE_NOT_OPEN",
            f"{claim} is claimed and no special program reaches the goods; the ordinary rate holds.",
        )
        for claim in closed
    )


def _impossible(law: Law, origin: str) -> frozenset[str]:
    """Claims of special programs none of which is open to the origin."""
    claims = {program.claim for program in law.programs.values()}
    return frozenset(claims - {p.claim for p in law.programs.values() if origin in p.members})


def _not_modelled(in_force: InForce, goods: tuple[str, str]) -> tuple[Note, ...]:
    return tuple(
        Note(
            "NOT_MODELLED",
            f"{standing.measure.id} may touch this line and is not modelled yet; it charges nothing here.",
        )
        for standing in in_force.unmodelled
        if not standing.measure.touches.is_any and Reach.of(standing.measure.touches, in_force).fits(*goods)
    )
