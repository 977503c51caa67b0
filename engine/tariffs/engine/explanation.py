"""All that was considered for one entry line, and the headings it reports: the answer beside a customs entry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tariffs.engine.assess import Quote
from tariffs.engine.claim_shares import facts_under
from tariffs.engine.considered import Considered, Considering, considered
from tariffs.engine.entry_summary import HeadingLine, headings_claimed
from tariffs.engine.entryline import EntryLine, entry_instant, read_known_on
from tariffs.engine.facts import read_claims
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.trade.codes import parse_code
from tariffs.engine.trade.schedule import load_schedule


@dataclass(frozen=True, slots=True)
class Explanation:
    """`headings` as an entry summary reports them, zero ones too; `considered`: what made no layer, and why."""

    headings: tuple[HeadingLine, ...]
    considered: tuple[Considered, ...]


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
    zone = law.zones[IMPORT]
    instant = entry_instant(law, line.entry)
    known = read_known_on(law, known_on, instant.astimezone(zone).date())
    code, _ = parse_code(line.hts, load_schedule().knows)
    origin = line.origin.strip().upper()
    in_force = law.in_force(instant, known)
    facts = facts_under(law, in_force, instant, (code, origin), read_claims(law.claims, line.claims, zone))
    rules = {active.rule.id: active.rule.heading for active in in_force.rules}
    return Explanation(
        tuple(headings_claimed(law, quote.layers, facts, rules)),
        considered(Considering(law, instant, known, code, origin, facts)),
    )
