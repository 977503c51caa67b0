"""Checks of the law data that reading it does not make: sources, and names that decide nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tariffs.engine.law.conditions import ENTRY_DATE
from tariffs.engine.law.law import REVIVE, Law
from tariffs.engine.law.model import CONFIDENCE, US, US_ABOVE, Row

_SOURCED = "AB"
_CONTENT = {"steel_share", "aluminum_share", "copper_share"}


@dataclass(frozen=True)
class Check:
    """One check of the law data; `names` are what it found, faults if not `ok`."""

    id: str
    ok: bool
    text: str
    names: tuple[str, ...]


def check_data(law: Law) -> list[Check]:
    """Every check of the law data, those that only inform last."""
    measures = law.measures.values()
    claimed = {claim.reference for claim in law.claims.values()}
    silent = tuple(m.id for m in measures if not (m.modelled or m.announced))
    announced = tuple(m.id for m in measures if m.announced)
    return [
        _faults("sources", "what is of confidence A or B names a source", _without_source(law)),
        _faults("periods", "a measure has a period unless it is only announced",
                (m.id for m in measures if not (m.announced or m.periods))),
        _faults("switches", "every switch decides something", law.switches.keys() - _switches_used(law)),
        _faults("claims", "every claim is read", law.claims.keys() - _claims_read(law)),
        _faults("references", "every reference share is a claim's", law.references.keys() - claimed),
        _faults("lists", "no list is empty", (name for name, found in law.lists.items() if not found.entries)),
        Check("not_modelled", True, "measures that charge nothing yet", silent),
        Check("announced", True, "measures that were announced and never enacted", announced),
    ]  # fmt: skip


def count_confidence(law: Law) -> dict[str, dict[str, int]]:
    """How many measures, periods, acts, rules and switches are of each confidence."""
    marks = {
        "measures": [measure.conf for measure in law.measures.values()],
        "periods": [period.conf for measure in law.measures.values() for period in measure.periods],
        "acts": [change.conf for change in law.changes],
        "rules": [rule.conf for rule in law.rules],
        "switches": [switch.conf for switch in law.switches.values()],
    }
    return {kind: {conf: Counter(found)[conf] for conf in CONFIDENCE} for kind, found in marks.items()}


def _faults(name: str, text: str, found: Iterable[str]) -> Check:
    names = tuple(sorted(found))
    return Check(name, not names, text, names)


def _without_source(law: Law) -> Iterator[str]:
    for measure in law.measures.values():
        yield from (p.id for p in measure.periods if p.conf in _SOURCED and not p.cite)
    yield from (change.path for change in law.changes if change.conf in _SOURCED and not change.cite)
    yield from (rule.id for rule in law.rules if rule.conf in _SOURCED and not rule.cite)


def _switches_used(law: Law) -> set[str]:
    dated: list[Mapping[str, str]] = [rule.switch for rule in law.rules]
    dated += [change.switch for change in law.changes]
    dated += [measure.switch for measure in law.measures.values()]
    dated += [period.switch for measure in law.measures.values() for period in measure.periods]
    return (
        {name for switch in dated for name in switch} | {r.switch for r in law.references.values()} | {REVIVE}
    )


def _rows(law: Law) -> list[Row]:
    return [row for measure in law.measures.values() for period in measure.periods for row in period.rows]


def _claims_read(law: Law) -> set[str]:
    conditions = [condition for row in _rows(law) for condition in row.conditions]
    conditions += [c for rule in law.rules for c in (*rule.conditions, *rule.unless)]
    conditions += [c for acts in law.acts.values() for act in acts for c in act.conditions]
    read = {condition.claim for condition in conditions} - {ENTRY_DATE}
    read |= {measure.tested_on for measure in law.measures.values()} - {""}
    bases = [row.base for row in _rows(law)]
    if any(row.metals for row in _rows(law)):
        read |= _CONTENT
    if any(base[US] != base[US_ABOVE] or not base[US] for base in bases):
        read.add("us_content_share")
    if any(rule.take == "base" for rule in law.rules):
        read.add("processing_value")
    return read
