"""All that was considered for one entry line, and the headings it reports: the answer beside a customs entry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.law import Law
from tariffs.engine.line_duty.cbp_7501 import HeadingLine, headings_claimed
from tariffs.engine.line_duty.entry_line import EntryLine, ResolvedLine, resolve_line
from tariffs.engine.line_duty.quote import Quote
from tariffs.engine.line_duty.quote_cache import QuotePlan, plan_of
from tariffs.engine.line_duty.why_not import UnappliedMeasure, WhyNotRequest, why_not
from tariffs.engine.schedule.lines import load_schedule

CONSIDERED_KEPT = 512
"""Plans whose lines were explained; what was considered for one takes some 20 KB."""
_CONSIDERED: BoundedCache[QuotePlan, tuple[UnappliedMeasure, ...]] = BoundedCache(CONSIDERED_KEPT)


@dataclass(frozen=True, slots=True)
class Explanation:
    """`headings` as an entry summary reports them, zero ones too; `why_not`: what made no layer, and why."""

    headings: tuple[HeadingLine, ...]
    considered: tuple[UnappliedMeasure, ...]


def explanation(
    law: Law, line: EntryLine, quote: Quote, *, known_on: str | date | None = None
) -> Explanation:
    """What stands behind an answer besides its layers.

    Args:
        law: the law of the answer.
        line: the line it is of.
        quote: the answer.
        known_on: as the answer was asked for.
    """
    reading = resolve_line(law, line, known_on, load_schedule())
    return explained(law, reading, plan_of(law, reading), quote)


def explained(law: Law, line: ResolvedLine, plan: QuotePlan, quote: Quote) -> Explanation:
    """What stands behind the answer for a line by its plan, besides its layers."""
    in_force = law.in_force(line.entry, line.known)
    rules = {active.rule.id: active.rule.heading for active in in_force.rules}
    headings = [] if plan.prohibited.whole else headings_claimed(law, quote.layers, plan.facts, rules)
    return Explanation(tuple(headings), _CONSIDERED.get(plan, lambda: _considered(law, line, plan)))


def is_considered(plan: QuotePlan) -> bool:
    """Whether what was considered for a plan is in memory."""
    return _CONSIDERED.find(plan) is not None


def _considered(law: Law, line: ResolvedLine, plan: QuotePlan) -> tuple[UnappliedMeasure, ...]:
    code, origin = line.article.code, line.article.origin
    return why_not(WhyNotRequest(law, line.entry, line.known, code, origin, plan.facts))
