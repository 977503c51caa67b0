"""Checks of the law data beyond loading it: sources, periods that never hold, names that decide nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain, pairwise

from tariffs.engine.law.conditions import ENTRY_DATE
from tariffs.engine.law.law import CLAIM_COST, REVIVE, Law
from tariffs.engine.law.model import CONFIDENCE, US, US_ABOVE, Period, Row, Scope
from tariffs.engine.law.row_checks import (
    Names,
    dearer_partners,
    headings_as_products,
    headings_of_others,
    idle_retired_codes,
    never_reached,
    unknown_codes,
    unreported,
    unsettled_families,
)

_SOURCED = "AB"
_CONTENT = {"steel_share", "aluminum_share", "copper_share"}


@dataclass(frozen=True)
class DataRule:
    """A rule that law data keeps; `names` finds what breaks it, `fault` and `fix` are said of each."""

    id: str
    text: str
    fault: str
    fix: str
    names: Callable[[Law], Names]


@dataclass(frozen=True)
class Check:
    """Result of one check of the law data; `names` are faults if not `ok`."""

    id: str
    ok: bool
    text: str
    names: tuple[str, ...]


def check_data(law: Law) -> list[Check]:
    """Run every check of the law data; those that only inform come last."""
    measures = law.measures.values()
    results = [(rule, tuple(sorted(name for name, _ in rule.names(law)))) for rule in RULES]
    silent = tuple(m.id for m in measures if not (m.modelled or m.announced))
    announced = tuple(m.id for m in measures if m.announced)
    return [
        *(Check(rule.id, not names, rule.text, names) for rule, names in results),
        Check("not_modelled", True, "measures that charge nothing yet", silent),
        Check("announced", True, "measures that were announced and never enacted", announced),
    ]


def count_confidence(law: Law) -> dict[str, dict[str, int]]:
    """Count measures, periods, acts, rules and switches by confidence."""
    marks = {
        "measures": [measure.conf for measure in law.measures.values()],
        "periods": [period.conf for measure in law.measures.values() for period in measure.periods],
        "acts": [change.conf for change in law.changes],
        "rules": [rule.conf for rule in law.rules],
        "switches": [switch.conf for switch in law.switches.values()],
    }
    return {kind: {conf: Counter(confs)[conf] for conf in CONFIDENCE} for kind, confs in marks.items()}


def _unsourced(law: Law) -> Names:
    for measure in law.measures.values():
        for period in measure.periods:
            if period.conf in _SOURCED and not period.cite:
                yield period.id, _place(measure.id, period)
    acts = ((act.path, act.path) for act in law.changes if act.conf in _SOURCED and not act.cite)
    rules = ((rule.id, f"rules.{rule.id}") for rule in law.rules if rule.conf in _SOURCED and not rule.cite)
    yield from chain(acts, rules)


def _without_periods(law: Law) -> Names:
    for measure in law.measures.values():
        if not (measure.announced or measure.periods):
            yield measure.id, f"measures.{measure.id}"


def _never_in_force(law: Law) -> Names:
    """Periods that end before they begin, or begin with a later one of the file that is known as early."""
    for measure in law.measures.values():
        for index, period in enumerate(measure.periods):
            covered = any(_covers(later, period) for later in measure.periods[index + 1 :])
            if covered or (period.start and period.end and period.end <= period.start):
                yield period.id, _place(measure.id, period)


def _covers(later: Period, period: Period) -> bool:
    same = later.start is not None and later.start == period.start
    as_early = (later.known_from or date.min) <= (period.known_from or date.min)
    return same and as_early and later.switch.items() <= period.switch.items()


def _gaps(law: Law) -> Names:
    """Periods that begin after the one before has ended."""
    for measure in law.measures.values():
        dated = sorted(((p.start, p) for p in measure.periods if p.start), key=lambda pair: pair[0])
        for (_, before), (start, period) in pairwise(dated):
            if before.end is not None and before.end < start:
                yield period.id, _place(measure.id, period)


def _place(measure: str, period: Period) -> str:
    return f"measures.{measure}.{period.id}"


def _idle_switches(law: Law) -> Names:
    dated: list[Mapping[str, str]] = [rule.switch for rule in law.rules]
    dated += [end.switch for rule in law.rules for end in rule.ends]
    dated += [change.switch for change in law.changes]
    dated += [measure.switch for measure in law.measures.values()]
    dated += [period.switch for measure in law.measures.values() for period in measure.periods]
    read = {*chain.from_iterable(dated), *(r.switch for r in law.references.values()), REVIVE, CLAIM_COST}
    return _unused("switches", law.switches, read)


def _idle_claims(law: Law) -> Names:
    return _unused("claims", law.claims, _claims_read(law))


def _idle_references(law: Law) -> Names:
    return _unused("references", law.references, {claim.reference for claim in law.claims.values()})


def _idle_lists(law: Law) -> Names:
    read = {name for scope in _scopes(law) for name in (*chain(*scope.products), *scope.not_products)}
    return _unused("lists", law.lists.keys() - law.retired_lists.keys(), read)


def _idle_groups(law: Law) -> Names:
    read = {name for scope in _scopes(law) for name in (*chain(*scope.origins), *scope.not_origins)}
    free_of_fees = {name for exemption in law.fees.mpf_exempt for name in exemption.origins}
    return _unused("groups", law.groups, read | free_of_fees)


def _empty_lists(law: Law) -> Names:
    return ((name, f"lists.{name}") for name, found in law.lists.items() if not found.codes)


def _unnamed_nodes(law: Law) -> Names:
    names = law.authorities.get("names", {})
    for measure in law.measures.values():
        if names and measure.authority not in names:
            yield measure.authority, f"measures.{measure.id}.authority"


def _unused(part: str, known: Iterable[str], read: Iterable[str]) -> Names:
    return ((name, f"{part}.{name}") for name in sorted(set(known) - set(read)))


def _rows(law: Law) -> list[Row]:
    return [row for measure in law.measures.values() for period in measure.periods for row in period.rows]


def _scopes(law: Law) -> Iterator[Scope]:
    yield from (row.scope for row in _rows(law))
    yield from (measure.touches for measure in law.measures.values())
    yield from (change.selector.scope for change in law.changes)
    yield from (scope for claim in law.claims.values() for scope in claim.asks)
    rules = (rules for reference in law.references.values() for rules in reference.rules.values())
    yield from (rule.scope for rule in chain.from_iterable(rules))
    yield from (rule.scope for rule in law.limits)


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
    if any(rule.replaces_base for rule in law.rules):
        read.add("processing_value")
    return read


_LEAVE_OUT = "Use the name where it belongs, or remove it."
RULES = (
    DataRule("sources", "what is of confidence A or B names a source", "has confidence A or B and no citation",
         "Add cite, or lower conf to C or U.", _unsourced),
    DataRule("periods", "a measure has a period unless it is only announced", "has no period",
         "Add a period, or status: announced.", _without_periods),
    DataRule("in_force", "every period holds at some time", "is never in force",
         "Remove it, or correct from, to, known_from or switch.", _never_in_force),
    DataRule("gaps", "no period begins after the end of the one before", "begins after the period before it has ended",
         "Correct to or from; for a duty that pauses, write an event suspend.", _gaps),
    DataRule("authorities", "every authority node has a name", "is not among the names of authorities.yaml",
         "Correct the authority, or add its name to authorities.yaml.", _unnamed_nodes),
    DataRule("switches", "every switch decides something", "decides nothing", _LEAVE_OUT, _idle_switches),
    DataRule("claims", "every claim is read", "is read by no row, rule or act", _LEAVE_OUT, _idle_claims),
    DataRule(
        "references", "every reference share is a claim's", "is the share of no claim", _LEAVE_OUT, _idle_references
    ),
    DataRule("lists", "no list is empty", "is empty", "Add codes, or remove the file.", _empty_lists),
    DataRule("rows", "every row reaches some goods", "is never reached: an earlier row takes all its goods",
         "Put rows of some origins, goods or claims before the general row, or remove the row.", never_reached),
    DataRule("headings", "a heading is one family's", "is a heading under which another family charges",
         "Correct the heading.", headings_of_others),
    DataRule("partners", "a partner that pays less never pays more", "is dearer than the general rate in some phase",
         "Correct the rate, or give the phase its own rows.", dearer_partners),
    DataRule("products", "products are no headings of chapter 99", "is a heading of chapter 99, not a product",
         "Name products; a heading belongs to heading.", headings_as_products),
    DataRule("codes", "the schedule has every product", "is not in the schedule",
         "Correct the code; put one that an older or newer schedule has under codes in retired.yaml.", unknown_codes),
    DataRule("retired_codes", "retired codes are in use, not in the schedule", "is in the schedule, or named nowhere",
         "Take it out of codes in retired.yaml.", idle_retired_codes),
    DataRule("families", "rules name every family or leave it", "is not settled: the rule names its siblings alone",
         "Name the family in a rule, or under leaves with a note that says why.", unsettled_families),
    DataRule("reporting", "every measure on imports has a place in reports", "has no place in the order of reporting",
         "Add its authority to reporting.order in authorities.yaml.", unreported),
    DataRule("used_lists", "every list is used", "is used nowhere", _LEAVE_OUT, _idle_lists),
    DataRule("groups", "every country group is used", "is used nowhere", _LEAVE_OUT, _idle_groups),
)  # fmt: skip
