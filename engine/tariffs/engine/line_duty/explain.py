"""Explain an answer besides its layers: headings of the entry summary, and measures that did not apply."""

from __future__ import annotations

from dataclasses import dataclass

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.law import Law
from tariffs.engine.line_duty.cbp_7501 import HeadingLine, headings_claimed
from tariffs.engine.line_duty.entry_line import ResolvedLine
from tariffs.engine.line_duty.quote import Quote
from tariffs.engine.line_duty.quote_cache import QuotePlan
from tariffs.engine.line_duty.why_not import UnappliedMeasure, WhyNotRequest, why_not

CONSIDERED_KEPT = 512
"""Plans whose unapplied measures are cached; those of one plan take some 20 KB."""
_CONSIDERED: BoundedCache[QuotePlan, tuple[UnappliedMeasure, ...]] = BoundedCache(CONSIDERED_KEPT)


@dataclass(frozen=True, slots=True)
class Explanation:
    """`headings` of the entry summary, also those at 0; `considered`: measures that did not apply, with reasons."""

    headings: tuple[HeadingLine, ...]
    considered: tuple[UnappliedMeasure, ...]


def explain_line(law: Law, line: ResolvedLine, plan: QuotePlan, quote: Quote) -> Explanation:
    """Explain the answer for a line.

    Args:
        law: the law of the answer.
        line: the line.
        plan: its plan.
        quote: the answer.
    """
    in_force = law.in_force(line.entry, line.known)
    rules = {active.rule.id: active.rule.heading for active in in_force.rules}
    headings = [] if plan.prohibited.whole else headings_claimed(law, quote.layers, plan.facts, rules)
    return Explanation(tuple(headings), _CONSIDERED.get(plan, lambda: _considered(law, line, plan)))


def is_considered(plan: QuotePlan) -> bool:
    """Test whether the unapplied measures of a plan are cached."""
    return _CONSIDERED.find(plan) is not None


def _considered(law: Law, line: ResolvedLine, plan: QuotePlan) -> tuple[UnappliedMeasure, ...]:
    code, origin = line.article.code, line.article.origin
    return why_not(WhyNotRequest(law, line.entry, line.known, code, origin, plan.facts))
