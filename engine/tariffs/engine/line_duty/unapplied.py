"""Measures that did not apply to a line: the record, and the sentences that name the code of the line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tariffs.engine.law.law import Active, InForce
from tariffs.engine.law.matching import prefixes_of
from tariffs.engine.law.model import Measure, Row
from tariffs.engine.rating.fits import dotted

NOT_CLAIMED, NOT_LISTED, TAKEN_OUT = "not_claimed", "not_listed", "taken_out"
ENDED, NOT_MODELLED, SWITCHED_OFF = "ended", "not_modelled", "switched_off"
_PARENT_AT_LEAST, _STEP = 4, 2


@dataclass(frozen=True, slots=True, eq=False)
class UnappliedMeasure:
    """Measure, or one row of it, that makes no layer on the line.

    Attributes:
        measure: id of the measure.
        authority: node of the authority tree.
        heading: heading under which it would be reported; empty where the row has none.
        outcome: not_claimed (a fact is missing), not_listed (a sibling is), taken_out (a list excludes the code),
            ended (void, terminated or expired), not_modelled, or switched_off.
        rule: the period or act that decides.
        text: one sentence.
        citations: legal sources.
        operands: operands of the sentence, by name.
    """

    measure: str
    authority: str
    heading: str
    outcome: str
    rule: str
    text: str
    citations: tuple[str, ...]
    operands: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NearRow:
    """Row whose list excludes the code, or contains a sibling of the code but not the code."""

    active: Active
    row: Row

    def of_code(self, code: str, in_force: InForce) -> UnappliedMeasure:
        """Describe the row for a line of this code."""
        active, row, name = self.active, self.row, dotted(code)
        reached = row.heading or active.measure.id
        misses = [names for names in row.scope.products if code not in prefixes_of(names, in_force)]
        if misses:
            siblings = [_siblings(names, code, in_force) for names in misses]
            lists = sorted(
                name for names in misses for name in names if _siblings(frozenset({name}), code, in_force)
            )
            near = ", ".join(dotted(sibling) for sibling in siblings[0][:3])
            verb = "contain" if len(lists) > 1 else "contains"
            text = f"{', '.join(lists)} {verb} {near} but not {name}, so {reached} does not apply."
            outcome, operands = NOT_LISTED, {"lists": ", ".join(lists), "siblings": near, "code": name}
        else:
            lists = _holding(row.scope.not_products, code, in_force)
            verb = "exclude" if len(lists) > 1 else "excludes"
            text = f"{', '.join(lists)} {verb} {name} from {reached}."
            outcome, operands = TAKEN_OUT, {"lists": ", ".join(lists), "code": name}
        measure, acts, cites = active.measure, ", ".join(row.acts), active.citations(row)
        return UnappliedMeasure(
            measure.id, measure.authority, row.heading, outcome, acts, text, cites, operands
        )


@dataclass(frozen=True, slots=True)
class UnmodelledMeasure:
    """Measure that may apply to the goods and is not modelled yet."""

    measure: Measure

    def of_code(self, code: str, in_force: InForce) -> UnappliedMeasure:
        """Describe the measure for a line of this code."""
        measure = self.measure
        text = f"{measure.title} may apply to this line; it is not modelled yet and charges nothing."
        operands = {"code": dotted(code)}
        return UnappliedMeasure(
            measure.id, measure.authority, "", NOT_MODELLED, measure.id, text, measure.cite, operands
        )


def _holding(names: Iterable[str], code: str, in_force: InForce) -> list[str]:
    return sorted(name for name in names if code in prefixes_of(frozenset({name}), in_force))


def _siblings(names: frozenset[str], code: str, in_force: InForce) -> list[str]:
    """Listed codes with the same parent as the code of the line at their length."""
    key = ("families", names)
    if key not in in_force.cache:
        by_parent: dict[str, list[str]] = {}
        for listed in sorted(prefixes_of(names, in_force).codes):
            by_parent.setdefault(listed[:-_STEP], []).append(listed)
        in_force.cache[key] = by_parent
    families: Mapping[str, list[str]] = in_force.cache[key]
    parents = (code[:length] for length in range(len(code) - _STEP, _PARENT_AT_LEAST - 1, -_STEP))
    return [sibling for parent in parents for sibling in families.get(parent, ())]
