"""Check that every name the law's files use exists: measures, nodes, countries, groups, lists, claims, switches.

Scopes and switches of measures, periods, rows and rules are checked where they are read (`raw_fields.Context`); here
are acts, headings, codes in conditions, and the files beside the measures.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tariffs.engine.errors import TariffsError
from tariffs.engine.law.amendments import Act
from tariffs.engine.law.bound_measures import unmatched
from tariffs.engine.law.conditions import MODE, Condition
from tariffs.engine.law.known_names import ORIGINS, refuse, unknown
from tariffs.engine.law.law import Law
from tariffs.engine.law.model import Measure, Row
from tariffs.engine.law.raw_fields import fault
from tariffs.engine.law.values import is_code
from tariffs.engine.schedule.transport import MODES

_HEADING = re.compile(r"^9[89]\d\d\.\d\d\.\d\d$")
Faults = Iterator[TariffsError]


def check_names(law: Law) -> None:
    """Refuse law data that names something the law does not have.

    Raises:
        TariffsError: LAW_INVALID, NOTHING_MATCHED or SWITCH_UNKNOWN, its field the path of the name.
    """
    refuse(name_faults(law))


def name_faults(law: Law) -> Faults:
    """Yield the error of every name that the law uses and does not have."""
    yield from _in_measures(law)
    yield from _in_acts(law)
    yield from _in_rules(law)
    yield from _in_groups(law)
    yield from _in_claims(law)
    yield from _in_limits(law)
    yield from _in_port_calls(law)
    yield from _in_nodes(law)
    yield from unknown(law.retired.values(), law.names, "measure or authority", "retired")
    yield from unknown(law.retired_lists, law.lists, "product list", "retired.lists")


def _in_measures(law: Law) -> Faults:
    for measure in law.measures.values():
        for period in measure.periods:
            for index, row in enumerate(period.rows):
                place = f"measures.{measure.id}.{period.id}[{index}]"
                yield from _in_row(law, row, place)


def _in_row(law: Law, row: Row, path: str) -> Faults:
    for key in ("heading", "heading_at_zero", "split_heading"):
        yield from _heading_faults(getattr(row, key), f"{path}.{key}")
    yield from _in_conditions(law, row.conditions, f"{path}.if")


def _heading_faults(heading: str, path: str) -> Faults:
    # Made-up laws have headings of letters; one that begins with a digit is meant as one of the schedule.
    if heading[:1].isdigit() and not _HEADING.match(heading):
        yield fault(
            path,
            f"{heading!r} is not a heading of chapter 98 or 99: 8 digits, dots after the fourth and the sixth",
        )


def _in_conditions(law: Law, conditions: Iterable[Condition], path: str) -> Faults:
    for condition in conditions:
        codes = condition.operand if isinstance(condition.operand, frozenset) else frozenset[str]()
        kind = law.claims[condition.claim].codes if condition.claim in law.claims else ""
        if kind == "country":
            yield from unknown(codes, law.origins, ORIGINS, path)
        elif kind == MODE:
            yield from unknown(codes, MODES, "mode of transport", path)
        elif kind == "hts":
            for code in sorted(codes):
                if not is_code(code):
                    yield fault(path, f"{code!r} is not an HTS code")


def _in_acts(law: Law) -> Faults:
    for change in law.changes:
        if change.op != "announce" and not law.select_measures(change):
            yield unmatched(change, law.names, law.retired)
        yield from law.vocabulary.unknown_in(change.selector.scope, f"{change.path}.measures")
        for name, value in change.switch.items():
            yield from law.vocabulary.unknown_switch(name, value, f"{change.path}.switch.{name}")
        yield from _heading_faults(change.heading, f"{change.path}.heading")
    for measure in law.measures.values():
        yield from _in_sources(measure, law.acts[measure.id])
        for act in law.acts[measure.id]:
            yield from _in_conditions(law, act.conditions, f"{act.change.path}.if")


def _in_sources(measure: Measure, acts: Sequence[Act]) -> Faults:
    """Rows find their citations by the names of periods and acts, so each name must be of one of them only."""
    names = [*measure.labels, *{act.order: act.name for act in acts}.values()]
    for name, count in Counter(names).items():
        if count > 1:
            yield fault(f"measures.{measure.id}", f"{count} periods or acts have the name {name!r}")


def _in_rules(law: Law) -> Faults:
    for rule in law.rules:
        path = f"rules.{rule.id}"
        parts = (("when", rule.when), ("on", rule.on), ("one_of", rule.members), ("leaves", rule.leaves))
        for key, names in parts:
            yield from unknown(names, law.names, "measure or authority", f"{path}.{key}")
        for heading in sorted({rule.heading, *rule.when_not}):
            yield from _heading_faults(heading, path)
        yield from _in_conditions(law, (*rule.conditions, *rule.unless), f"{path}.if")


def _in_groups(law: Law) -> Faults:
    for name, dated in law.groups.items():
        if name in law.origins:
            yield fault(f"groups.{name}", "a group must not have the code of a country")
        for part in dated:
            yield from unknown(part.members, law.origins, ORIGINS, f"groups.{name}.members")
    yield from unknown(law.refused_origins, law.origins, ORIGINS, "refused_origins")
    for symbol, program in law.programs.items():
        yield from unknown(program.members, law.origins, ORIGINS, f"programs.{symbol}.members")
        yield from unknown((program.claim,), law.claims, "claim", f"programs.{symbol}.claim")


def _in_claims(law: Law) -> Faults:
    for name, claim in law.claims.items():
        if claim.reference:
            yield from unknown(
                (claim.reference,), law.references, "reference share", f"claims.{name}.reference"
            )
    for name, reference in law.references.items():
        path = f"references.{name}"
        if reference.switch and reference.switch not in law.switches:
            yield from unknown((reference.switch,), law.switches, "switch", f"{path}.switch")
        elif reference.switch:
            values = law.switches[reference.switch].values
            variants = (*reference.tables, *reference.rules)
            kind = f"value of the switch {reference.switch}"
            yield from unknown(variants, values, kind, f"{path}.variants")
            yield from unknown(values, variants, f"variant of the reference share {name}", f"{path}.variants")


def _in_limits(law: Law) -> Faults:
    for index, rule in enumerate(law.limits):
        path = f"constraints[{index}]"
        yield from unknown((rule.measure,), law.measures, "measure", f"{path}.measure")
        yield from law.vocabulary.unknown_in(rule.scope, path)


def _in_port_calls(law: Law) -> Faults:
    yield from unknown(law.port_fees, law.measures, "measure", "port_fees[].measure")
    for index, voyage in enumerate(law.port_calls):
        path = f"port_calls[{index}]"
        fee = law.port_fees.get(voyage.measure)
        if fee is None:
            yield from unknown((voyage.measure,), law.port_fees, "port fee", f"{path}.measure")
        else:
            yield from unknown((voyage.kind,), fee.kinds, "kind of ship", f"{path}.kind")


def _in_nodes(law: Law) -> Faults:
    """Yield nodes of the authority tree that other files name; a node that only has a name may hold no measure yet."""
    if law.refunds.authority:
        yield from unknown((law.refunds.authority,), law.names, "authority", "refunds.authority")
    reporting = law.authorities.get("reporting", {})
    named = law.names | law.authorities.get("names", {}).keys()
    yield from unknown(reporting.get("order", ()), named, "authority", "authorities.reporting.order")
    yield from unknown(reporting.get("claims", ()), law.claims, "claim", "authorities.reporting.claims")
    for index, exemption in enumerate(law.fees.mpf_exempt):
        path = f"fees.mpf_exempt[{index}]"
        yield from unknown(exemption.programs, law.programs, "program", f"{path}.programs")
        yield from unknown(exemption.origins, law.origins | law.groups.keys(), ORIGINS, f"{path}.origins")
