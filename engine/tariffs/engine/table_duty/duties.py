"""Compute assessed and owed duty of the lines of a table: compile the law per date, run the kernel in chunks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, Bools
from tariffs.engine.base.chunks import run_chunks
from tariffs.engine.law.law import IMPORT, InForce, Law
from tariffs.engine.law.model import (
    ALUMINUM,
    CAPPED_TERM,
    COPPER,
    PARTS,
    PROCESSING,
    REST,
    STEEL,
    US,
    US_ABOVE,
    Measure,
    Row,
    Scope,
)
from tariffs.engine.law.notes import Note, void_suspensions
from tariffs.engine.law.switch_sensitivity import switches_behind
from tariffs.engine.rating.fits import CONTENT_CLAIMS, PROCESSING_CLAIM, US_CLAIM
from tariffs.engine.table_duty.compile import Compiled, compile_lines
from tariffs.engine.table_duty.default_share_notes import default_share_note, lines_with_default_shares
from tariffs.engine.table_duty.kernel import assess_lines
from tariffs.engine.tables.claim_shares import lines_with_claim_shares
from tariffs.engine.tables.default_shares import has_source
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.scope_masks import scope_mask


@dataclass(frozen=True)
class Dated:
    """Entry instants of lines and the day whose acts count for each; `of_line` is None if all have the first.

    `direction` is import or export.
    """

    instants: Sequence[datetime]
    known_on: Sequence[date]
    of_line: I32 | None
    direction: str = IMPORT


@dataclass(frozen=True)
class Duties:
    """Duty in dollars per line, and per line and authority (`authorities` names the columns).

    `prohibited` is the value per line that may not be imported, on which no duty is computed. `measures` are those that
    apply to a line; `switches` those the duties depend on, with their values; `refused` are lines with more than 32
    atoms; `notes` concern the table as a whole.
    """

    duty: F64
    owed: F64
    by_authority: F64
    owed_by_authority: F64
    authorities: Sequence[str]
    prohibited: F64
    measures: frozenset[str]
    switches: Mapping[str, str]
    refused: frozenset[int]
    notes: tuple[Note, ...]


def duties_of(law: Law, lines: LineArrays, dated: Dated, check: Callable[[], None]) -> Duties:
    """Compute the duties of lines at their instants; `check` is called between chunks and may raise to stop."""
    measures = list(law.measures.values())
    authorities = sorted({measure.authority for measure in measures})
    authority_of = np.array([authorities.index(measure.authority) for measure in measures], dtype=np.int32)
    out = _DutyArrays.of(lines.count, len(authorities))
    declared = lines
    applied: set[str] = set()
    switches: dict[str, str] = {}
    refused: set[int] = set()
    notes: dict[str, Note] = {}
    prohibited: dict[int, float] = {}
    sourced: dict[str, Bools] = {}
    for index, (instant, known_on) in enumerate(zip(dated.instants, dated.known_on, strict=True)):
        check()
        select = None if dated.of_line is None else dated.of_line == index
        in_force = law.in_force(instant, known_on, dated.direction)
        lines = lines_with_claim_shares(law, in_force, instant, declared)
        compiled = compile_lines(law, in_force, lines, select)
        _run(lines, compiled, authority_of, _parts(law, lines), out, check)
        for place, value in _prohibit(lines, compiled, out).items():
            prohibited[place] = prohibited.get(place, 0.0) + value
        for claim, mask in lines_with_default_shares(in_force, lines, compiled, select).items():
            sourced[claim] = sourced[claim] | mask if claim in sourced else mask
        applied |= {measures[i].id for i in (*np.unique(compiled.profiles.layer_measure), *prohibited)}
        reaches = _reaching(lines, in_force, select)
        switches |= switches_behind(law, instant, known_on, reaches, dated.direction)
        refused |= set(compiled.refused.tolist())
        of_instant = [
            *void_suspensions(law, instant, known_on, reaches, dated.direction),
            *_undetermined(law, in_force, lines, select),
            *_not_modelled(in_force, lines, select),
        ]
        notes |= {note.message: note for note in of_instant}
    whole = [_prohibited_note(measures[place], value) for place, value in prohibited.items()]
    whole += default_share_note(law, declared, sourced)
    return Duties(
        out.duty, out.owed, out.by_authority, out.owed_by_authority, authorities, out.prohibited, frozenset(applied),
        switches, frozenset(refused),
        (*whole, *notes.values()),
    )  # fmt: skip


@dataclass(frozen=True)
class _DutyArrays:
    duty: F64
    owed: F64
    by_authority: F64
    owed_by_authority: F64
    prohibited: F64

    @classmethod
    def of(cls, lines: int, authorities: int) -> _DutyArrays:
        return cls(
            np.zeros(lines),
            np.zeros(lines),
            np.zeros((lines, authorities)),
            np.zeros((lines, authorities)),
            np.zeros(lines),
        )


def _prohibit(lines: LineArrays, compiled: Compiled, out: _DutyArrays) -> dict[int, float]:
    """Add the prohibited value of lines to the output, and return dollars by measure."""
    line, measure, weight = compiled.prohibited()
    value = weight * lines.value[line]
    np.add.at(out.prohibited, line, value)
    return {int(index): float(value[measure == index].sum()) for index in np.unique(measure)}


def _prohibited_note(measure: Measure, value: float) -> Note:
    return Note(
        "PROHIBITED",
        f"{measure.id} prohibits the importation of goods worth {value:,.0f} USD: no duty is computed on them, their "
        "quantity is 0, and they are excluded from the effective rate.",
    )


def _parts(law: Law, lines: LineArrays) -> F64:
    cap = float(law.caps.get(CAPPED_TERM, 1))
    key = ("parts", cap)
    if key not in lines.cache:
        lines.cache[key] = _parts_of(lines, cap)
    parts: F64 = lines.cache[key]
    return parts


def _parts_of(lines: LineArrays, cap: float) -> F64:
    """Parts of the value of each line in dollars (n x parts); see `law.model.PARTS`.

    Undeclared content counts as 0 here: compile puts the weight of an undeclared metal on the whole value.
    """
    value = lines.value
    shares = {part: np.nan_to_num(lines.fact(claim)) for part, claim in CONTENT_CLAIMS.items()}
    metal = shares[STEEL] + shares[ALUMINUM] + shares[COPPER]
    us = np.minimum(np.nan_to_num(lines.fact(US_CLAIM)), 1.0 - metal)
    capped = np.minimum(us, cap)
    processing = lines.fact(PROCESSING_CLAIM)
    parts = np.zeros((lines.count, len(PARTS)))
    for part, share in shares.items():
        parts[:, part] = value * share
    parts[:, US] = value * capped
    parts[:, US_ABOVE] = value * (us - capped)
    parts[:, REST] = value * (1.0 - metal - us)
    parts[:, PROCESSING] = np.where(np.isnan(processing), value, np.minimum(processing, value))
    return parts


def _run(
    lines: LineArrays,
    compiled: Compiled,
    authority_of: I32,
    parts: F64,
    out: _DutyArrays,
    check: Callable[[], None],
) -> None:
    profiles = compiled.profiles
    quantity = np.full((max(1, len(profiles.units)), lines.count), np.nan)
    for row, unit in enumerate(profiles.units):
        if unit in lines.quantities:
            quantity[row] = lines.quantities[unit]

    def chunk(lo: int, hi: int) -> None:
        assess_lines(
            lo, hi, compiled.atom_start, compiled.atom_profile, compiled.atom_weight, compiled.atom_ordinary,
            profiles.layer_start, profiles.layer_kind, profiles.layer_rate, profiles.layer_weights,
            profiles.layer_assessed, profiles.layer_owed, authority_of[profiles.layer_measure],
            profiles.layer_unit, profiles.tier_start, profiles.tier_up_to, profiles.tier_usd, lines.value, parts,
            quantity, out.duty, out.owed, out.by_authority, out.owed_by_authority,
        )  # fmt: skip

    run_chunks(lines.count, chunk, check)


def _reaching(lines: LineArrays, in_force: InForce, select: Bools | None) -> Callable[[Scope], bool]:
    def reaches(scope: Scope) -> bool:
        return bool(_selected(scope_mask(scope, lines, in_force), select).any())

    return reaches


def _selected(mask: Bools, select: Bools | None) -> Bools:
    return mask if select is None else mask & select


def _undetermined(law: Law, in_force: InForce, lines: LineArrays, select: Bools | None) -> list[Note]:
    """Notes on duties that depend on an undeclared fact with no default share."""
    charges = (claim for claim in law.claims.values() if claim.role == "charge" and claim.type == "share")
    unknown = {claim.id for claim in charges if not has_source(law, claim)}
    notes = []
    for active in in_force.actives:
        reached = np.zeros(lines.count, dtype=bool)
        for row in active.rows:
            claims = {c.claim for c in row.conditions if not c.negated and not c.op} & unknown
            if claims and _charges_if_declared(row):
                silent = np.logical_or.reduce([~(lines.fact(claim) > 0) for claim in claims])
                reached |= scope_mask(row.scope, lines, in_force) & silent
        value = float(lines.value[_selected(reached, select)].sum())
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


def _not_modelled(in_force: InForce, lines: LineArrays, select: Bools | None) -> list[Note]:
    notes = []
    for state in in_force.unmodelled:
        measure = state.measure
        if measure.touches.is_any:
            continue
        value = float(lines.value[_selected(scope_mask(measure.touches, lines, in_force), select)].sum())
        if value > 0:
            text = f"{measure.id} may apply to lines worth {value:,.0f} USD; not modelled yet, it charges nothing."
            notes.append(Note("NOT_MODELLED", text))
    return notes


def duties_by_measure(
    law: Law,
    lines: LineArrays,
    instant: datetime,
    known_on: date,
    check: Callable[[], None],
    direction: str = IMPORT,
) -> tuple[F64, list[str]]:
    """Compute assessed duty in dollars per line and measure at one instant; also the ids of the measures (columns)."""
    check()
    in_force = law.in_force(instant, known_on, direction)
    lines = lines_with_claim_shares(law, in_force, instant, lines)
    compiled = compile_lines(law, in_force, lines)
    measures = list(law.measures)
    applied = np.unique(compiled.profiles.layer_measure)
    column = np.zeros(len(measures), dtype=np.int32)
    column[applied] = np.arange(len(applied), dtype=np.int32)
    out = _DutyArrays.of(lines.count, len(applied))
    _run(lines, compiled, column, _parts(law, lines), out, check)
    return out.by_authority, [measures[index] for index in applied]
