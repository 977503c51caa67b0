"""Notes on the duties of a table: prohibitions, default shares, undetermined charges, measures not modelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.conditions import MODE
from tariffs.engine.law.law import InForce, Law
from tariffs.engine.law.model import Row, Scope
from tariffs.engine.law.notes import Note, mode_assumed, void_suspensions
from tariffs.engine.law.switch_sensitivity import switches_behind
from tariffs.engine.rating.fact_tests import ConditionTest
from tariffs.engine.table_duty.default_share_notes import DefaultShares, default_share_note
from tariffs.engine.table_duty.rated_lines import RatedLines
from tariffs.engine.tables.default_shares import has_source
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.selected_lines import SelectedLines

_PROHIBITED_KEPT = 64


class DutyNotes:
    """Notes, switches and measures behind the duties of a table."""

    def __init__(self, law: Law, lines: LineArrays, rated: Sequence[RatedLines]) -> None:
        self._law = law
        self._lines = lines
        self._rated = rated

    @cached_property
    def switches(self) -> Mapping[str, str]:
        """Switches that the duties depend on, with their values."""
        switches: dict[str, str] = {}
        for rated in self._rated:
            moment = rated.instant, rated.known_on
            switches |= switches_behind(self._law, *moment, _reaches(rated), rated.market)
        return switches

    @cached_property
    def measures(self) -> frozenset[str]:
        """Ids of the measures that charge or prohibit some line."""
        ids = list(self._law.measures)
        charging = {index for rated in self._rated for index in _charging(rated)}
        return frozenset(ids[index] for index in charging | self._prohibited.keys())

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """Notes on the whole table first, then those of each instant."""
        measures = list(self._law.measures)
        whole = [_prohibited_note(measures[index], value) for index, value in self._prohibited.items()]
        whole += default_share_note(self._law, DefaultShares.of(self._lines, self._rated))
        dated: dict[str, Note] = {}
        for rated in self._rated:
            moment = rated.instant, rated.known_on
            of_instant = [
                *void_suspensions(self._law, *moment, _reaches(rated), rated.market),
                *_undetermined(self._law, rated.in_force, rated.selected),
                *_not_modelled(rated.in_force, rated.selected),
                *_mode_assumed(self._law, rated.in_force, rated.selected),
            ]
            dated |= {note.message: note for note in of_instant}
        return (*whole, *dated.values())

    @cached_property
    def _prohibited(self) -> dict[int, float]:
        """Value that each measure prohibits, by its place in the law."""
        values: dict[int, float] = {}
        for rated in self._rated:
            for index, value in _prohibited_value(rated).items():
                values[index] = values.get(index, 0.0) + value
        return values


def _charging(rated: RatedLines) -> set[int]:
    """Places in the law of the measures that charge some line of an instant."""
    layers, atoms = rated.layers, rated.family.atoms
    if rated.selected.is_all:
        return set(np.unique(layers.slots.measure[layers.slot]).tolist())
    used = np.zeros(rated.family.combinations.count, dtype=bool)
    used[rated.family.combinations.of_atom[atoms.of_lines(rated.selected.index)]] = True
    on_layer = np.repeat(used, np.diff(layers.start))
    return set(np.unique(layers.slots.measure[layers.slot[on_layer]]).tolist())


def _prohibited_value(rated: RatedLines) -> dict[int, float]:
    """Value that each measure prohibits at an instant, by its place in the law; kept for a whole table."""
    if not rated.selected.is_all:
        return _sum_prohibited(rated)
    kept: BoundedCache[bytes, dict[int, float]]
    kept = rated.family.cache.setdefault("prohibited values", BoundedCache(_PROHIBITED_KEPT))
    return kept.get(rated.layers.prohibited.tobytes(), lambda: _sum_prohibited(rated))


def _sum_prohibited(rated: RatedLines) -> dict[int, float]:
    atoms, prohibited = rated.family.atoms, rated.layers.prohibited
    of_atom = rated.family.combinations.of_atom
    if not (prohibited >= 0).any():
        return {}
    atom = atoms.of_lines(rated.selected.index)
    prohibited_atoms = atom[(prohibited >= 0)[of_atom[atom]]]
    measure = prohibited[of_atom[prohibited_atoms]]
    value = atoms.weight[prohibited_atoms] * rated.lines.value[atoms.line[prohibited_atoms]]
    return {int(index): float(value[measure == index].sum()) for index in np.unique(measure)}


def _prohibited_note(measure: str, value: float) -> Note:
    return Note(
        "PROHIBITED",
        f"{measure} prohibits the importation of goods worth {value:,.0f} USD: no duty is computed on them, their "
        "quantity is 0, and they are excluded from the effective rate.",
    )


def _reaches(rated: RatedLines) -> Callable[[Scope], bool]:
    return lambda scope: rated.selected.value(scope, rated.in_force) is not None


def _undetermined(law: Law, in_force: InForce, selected: SelectedLines) -> list[Note]:
    """Notes on duties that depend on an undeclared fact with no default share."""
    charges = (claim for claim in law.claims.values() if claim.role == "charge" and claim.type == "share")
    unknown = {claim.id for claim in charges if not has_source(law, claim)}
    notes = []
    for active in in_force.actives:
        doubtful = []
        for row in active.rows:
            claims = {c.claim for c in row.conditions if not c.negated and not c.op} & unknown
            if claims and _charges_if_declared(row):
                doubtful.append((row.scope, frozenset(claims)))
        value = selected.silent_value(doubtful, in_force) if doubtful else 0.0
        if value > 0:
            text = (
                f"{active.measure.id} may apply to lines worth {value:,.0f} USD; it depends on an undeclared fact with "
                "no default share, so it is charged only on lines that declare the fact."
            )
            notes.append(Note("CHARGE_UNDETERMINED", text))
    return notes


def _charges_if_declared(row: Row) -> bool:
    """Test whether a row charges only goods that declare its fact: no exemption or prohibition, not suspended."""
    return not (row.exempt or row.prohibits or row.undeclared_applies or row.suspended or row.absent)


def _not_modelled(in_force: InForce, selected: SelectedLines) -> list[Note]:
    notes = []
    for state in in_force.unmodelled:
        measure = state.measure
        if measure.touches.is_any:
            continue
        value = selected.value(measure.touches, in_force)
        if value is not None and value > 0:
            text = f"{measure.id} may apply to lines worth {value:,.0f} USD; not modelled yet, it charges nothing."
            notes.append(Note("NOT_MODELLED", text))
    return notes


def _mode_assumed(law: Law, in_force: InForce, selected: SelectedLines) -> Iterator[Note]:
    """Notes on reliefs for goods on vessels that fit lines if their undeclared mode of transport is ocean."""
    lines = selected.lines
    rows = [row for active in in_force.actives for row in active.rows]
    for row in rows:
        if not any(condition.claim == MODE for condition in row.conditions):
            continue
        line = selected.within(row.scope, in_force)
        for condition in row.conditions:
            test = ConditionTest.of(condition, law.claims).test
            if condition.claim == MODE:
                line = line[lines.facts[MODE][line] == ""] if MODE in lines.facts else line
            elif test is not None:
                line = line[test.on(lines, line) != condition.negated]
        value = float(lines.value[line].sum())
        if value > 0:
            yield mode_assumed(row.heading, f"lines worth {value:,.0f} USD")
