"""Cache the parts of a quote shared by lines that differ only in value, quantity and charges.

A plan holds no reference to the Law, so that unused laws can be collected.
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
from tariffs.engine.tables.claim_shares import facts_with_claim_shares

PLANS_KEPT = 2048
"""Plans of all laws together; one takes 5 to 20 KB."""
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True, eq=False)
class QuotePlan:
    """Parts of a quote shared by all lines of one code, origin, schedule and set of claims in a segment of a law.

    Attributes:
        facts: facts declared, with the shares set by the scenario of the law.
        read: claims that rows or rules may read.
        missing: facts requested and not declared.
        assumptions: values assumed for facts neither declared nor requested.
        notes: measures that may apply to the line and are not modelled.
        switches: switches that the answer depends on, with their values.
        linear_quote: quote per dollar; None if an amount depends on a quantity or on declared dollars.
        mpf_share: share of the value on which the merchandise processing fee is due, for linear quotes.
        prohibited: measures that prohibit the line or a part of it.
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

    def linear_for(self, value: Decimal) -> LinearQuote | None:
        """Linear quote, if it holds for this value."""
        return self.linear_quote if 0 < value < LARGEST_VALUE else None


_PLANS: BoundedCache[Hashable, QuotePlan] = BoundedCache(PLANS_KEPT)


def plan_of(law: Law, line: ResolvedLine) -> QuotePlan:
    """Return the plan of a line, cached for later lines.

    Raises:
        LawError: LAW_INVALID if the law requests too many facts of one line.
    """
    return _PLANS.get(plan_key(law, line), lambda: make_plan(law, line))


def cached_plan(law: Law, line: ResolvedLine) -> QuotePlan | None:
    """Return the cached plan of a line, if there is one."""
    return _PLANS.find(plan_key(law, line))


def plan_key(law: Law, line: ResolvedLine) -> Hashable:
    """Cache key of a plan; it refers to law and schedule without keeping them alive."""
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
    """Make the plan of a line without the cache; raises as `plan_of`."""
    in_force = law.in_force(line.entry, line.known)
    article = line.article
    goods = (article.code, article.origin)
    rows = candidates(in_force, *goods)
    read = claims_read(rows, in_force)
    facts = facts_with_claim_shares(law, in_force, line.entry, goods, line.facts)
    missing = tuple(name for name in sorted(read - facts.keys()) if _is_requested(law, in_force, name, goods))
    silent = read - _impossible(law, article.origin) - facts.keys() - set(missing)
    rater = _rater(law, line, line.goods, rows)
    prohibited = prohibited_by(law, rater, rows, facts, read)
    if prohibited.whole and prohibited.claims.isdisjoint(missing):
        missing = ()
    bare = QuotePlan(
        facts=facts,
        read=read,
        missing=missing,
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
    return replace(bare, linear_quote=_linear_quote(law, line, bare))


def layers_for(law: Law, line: ResolvedLine, plan: QuotePlan) -> QuoteLayers:
    """Compute the layers of a line by its plan, scaled where possible; raises as `compute_layers`."""
    linear_quote = plan.linear_for(line.goods.value)
    return compute_layers(law, line, plan) if linear_quote is None else linear_quote.at(int(line.goods.value))


def compute_layers(law: Law, line: ResolvedLine, plan: QuotePlan) -> QuoteLayers:
    """Compute the layers of a line for its own value and quantity.

    Raises:
        InputError: as the facts and rates of the line require.
    """
    in_force = law.in_force(line.entry, line.known)
    rows = candidates(in_force, line.article.code, line.article.origin)
    rater = _rater(law, line, line.goods, rows)
    sums = sum_layers(law, rater, plan.facts, plan.read)
    joint = joint_facts(law, plan.facts, plan.missing, conditions_read(rows, in_force))
    return round_layers(law, sums, spread(law, rater, plan.read, joint))


def _linear_quote(law: Law, line: ResolvedLine, plan: QuotePlan) -> LinearQuote | None:
    if PROCESSING_CLAIM in plan.facts:
        return None
    in_force = law.in_force(line.entry, line.known)
    article = line.article
    rows = candidates(in_force, article.code, article.origin)
    # Without a quantity, a rate per unit refuses the line, and so does a rate that cannot be computed.
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
    """Rater of the goods of a line, or of the same goods at another value."""
    rates = schedule_rates(law, goods, line.schedule)
    return Rater(law, law.in_force(line.entry, line.known), goods, rows, rates)


# -- facts -----------------------------------------------------------------------------------------------------


def _is_requested(law: Law, in_force: InForce, name: str, goods: tuple[str, str]) -> bool:
    claim = law.claims.get(name)
    return claim is not None and any(Reach.of(scope, in_force).fits(*goods) for scope in claim.asks)


def _assumptions(law: Law, rows: Candidates, silent: frozenset[str]) -> tuple[str, ...]:
    """Values assumed for claims that are neither declared nor requested."""
    tests = [(row, condition) for _, reaching in rows for row in reaching for condition in row.conditions]
    assumed = {
        condition.claim: "taken as claimed"
        for row, condition in tests
        if row.undeclared_applies and not condition.op and not condition.negated
    } | {
        condition.claim: f"taken as {condition.opposite}"
        for _, condition in tests
        if condition.op and condition.negated
    }
    assumed |= {active.measure.tested_on: "taken as the date of entry" for active, _ in rows}
    return tuple(
        f"{name}: not declared, so {assumed.get(name, 'not granted or charged')}"
        for name in sorted(silent & law.claims.keys())
    )


def _not_open(law: Law, line: ResolvedLine, rows: Candidates, facts: Mapping[str, Fact]) -> tuple[Note, ...]:
    """Notes on claimed preferences that no special program grants to the goods."""
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
            f"{claim} is claimed, but no special program covers the goods; the ordinary rate applies.",
        )
        for claim in closed
    )


def _impossible(law: Law, origin: str) -> frozenset[str]:
    """Claims of special programs that are all closed to the origin."""
    claims = {program.claim for program in law.programs.values()}
    return frozenset(claims - {p.claim for p in law.programs.values() if origin in p.members})


def _not_modelled(in_force: InForce, goods: tuple[str, str]) -> tuple[Note, ...]:
    return tuple(
        Note(
            "NOT_MODELLED",
            f"{state.measure.id} may apply to this line and is not modelled yet; it charges nothing.",
        )
        for state in in_force.unmodelled
        if not state.measure.touches.is_any and Reach.of(state.measure.touches, in_force).fits(*goods)
    )
