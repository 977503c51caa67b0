"""Check that every name the law's files use exists: measures, nodes, countries, groups, lists, claims, switches.

Scopes and switches of measures, periods, rows and rules are checked where they are read (`reading.Context`); here are
acts, and the files beside the measures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tariffs.engine.law.amendments import Act, read_scope
from tariffs.engine.law.known_names import check_known
from tariffs.engine.law.law import Law
from tariffs.engine.law.model import Measure, Rule
from tariffs.engine.law.raw_fields import fault

_DIRECTIONS_OF_GOODS = ("import", "export")


def check_names(law: Law) -> None:
    """Refuse law data that names what the law does not have.

    Raises:
        TariffsError: LAW_INVALID, NOTHING_MATCHED or SWITCH_UNKNOWN, its field the path of the name.
    """
    _check_acts(law)
    for rule in law.rules:
        _check_rule(law, rule)
    _check_members(law)
    _check_facts(law)
    _check_limits(law)
    _check_ports(law)
    _check_exports(law)
    _check_nodes(law)
    check_known(law.retired.values(), law.names, "measure or authority", "retired")


def _check_acts(law: Law) -> None:
    for change in law.changes:
        if change.op != "announce" and not law.select_measures(change):
            raise fault(f"{change.path}.measures", "the selector matches no measure")
        law.vocabulary.check_scope(change.selector.scope, f"{change.path}.measures")
        law.vocabulary.check_switches(change.switch, f"{change.path}.switch")
    for measure in law.measures.values():
        _check_sources(measure, law.acts[measure.id])


def _check_sources(measure: Measure, acts: Sequence[Act]) -> None:
    """Rows find their citations by the names of periods and acts, so each must stand for one of them."""
    names = [*measure.labels, *{act.order: act.name for act in acts}.values()]
    for name, count in Counter(names).items():
        if count > 1:
            raise fault(f"measures.{measure.id}", f"{count} periods or acts have the name {name!r}")


def _check_rule(law: Law, rule: Rule) -> None:
    for key, names in (("when", rule.when), ("on", rule.on), ("one_of", rule.members)):
        check_known(names, law.names, "measure or authority", f"rules.{rule.id}.{key}")


def _check_members(law: Law) -> None:
    for name, dated in law.groups.items():
        for part in dated:
            check_known(part.members, law.origins, "country", f"groups.{name}.members")
    for symbol, program in law.programs.items():
        check_known(program.members, law.origins, "country", f"programs.{symbol}.members")
        check_known((program.claim,), law.claims, "claim", f"programs.{symbol}.claim")


def _check_facts(law: Law) -> None:
    for name, claim in law.claims.items():
        if claim.reference:
            check_known((claim.reference,), law.references, "reference share", f"claims.{name}.reference")
    for name, reference in law.references.items():
        path = f"references.{name}"
        if reference.switch:
            check_known((reference.switch,), law.switches, "switch", f"{path}.switch")
            values = law.switches[reference.switch].values
            variants = (*reference.tables, *reference.rules)
            check_known(variants, values, f"value of the switch {reference.switch}", f"{path}.variants")
            check_known(values, variants, f"variant of the reference share {name}", f"{path}.variants")


def _check_limits(law: Law) -> None:
    for index, entry in enumerate(law.limits):
        path = f"constraints[{index}]"
        check_known((entry["measure"],), law.measures, "measure", f"{path}.measure")
        check_known((entry["direction"],), _DIRECTIONS_OF_GOODS, "direction", f"{path}.direction")
        law.vocabulary.check_scope(read_scope(entry, path), path)


def _check_ports(law: Law) -> None:
    fees = {fee["measure"]: fee["kinds"] for fee in law.port_fees}
    check_known(fees, law.measures, "measure", "port_fees[].measure")
    for index, voyage in enumerate(law.port_calls):
        path = f"port_calls[{index}]"
        check_known((voyage["measure"],), fees, "port fee", f"{path}.measure")
        kinds = fees[voyage["measure"]]
        check_known((voyage["kind"],), kinds, "kind of ship", f"{path}.kind")


def _check_exports(law: Law) -> None:
    for key, entries in law.exports.items():
        for index, entry in enumerate(_mappings(entries)):
            for product in entry.get("products", []):
                bare = product.replace(".", "")
                if bare and not (bare.isascii() and bare.isdigit() and len(bare) <= 6):
                    raise fault(
                        f"exports.{key}[{index}].products", f"{product!r} is not a prefix of 6 digits"
                    )


def _mappings(entries: Any) -> Iterable[Mapping[str, Any]]:
    return entries if isinstance(entries, Sequence) and not isinstance(entries, str) else ()


def _check_nodes(law: Law) -> None:
    """Nodes of the authority tree that other files name; a node that only names may hold no measure yet."""
    authority = law.refunds.get("authority")
    if authority:
        check_known((authority,), law.names, "authority", "refunds.authority")
    reporting = law.authorities.get("reporting", {})
    named = law.names | law.authorities.get("names", {}).keys()
    check_known(reporting.get("order", ()), named, "authority", "authorities.reporting.order")
    check_known(reporting.get("claims", ()), law.claims, "claim", "authorities.reporting.claims")
    programs = law.fees.get("mpf_exempt_programs", ())
    check_known(programs, law.programs, "program", "fees.mpf_exempt_programs")
