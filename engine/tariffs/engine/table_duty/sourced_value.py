"""Value of the lines on which a sourced share stands in for a fact that the line does not declare."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tariffs.engine.base.array_utils import Bools
from tariffs.engine.law.law import InForce, Law
from tariffs.engine.law.model import REST, US, US_ABOVE
from tariffs.engine.law.notes import Note
from tariffs.engine.rating.fits import US_CLAIM
from tariffs.engine.table_duty.compile import Compiled
from tariffs.engine.tables.default_shares import variant_of
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.scope_masks import scope_mask


def lines_sourced(
    in_force: InForce, lines: LineArrays, compiled: Compiled, select: Bools | None
) -> dict[str, Bools]:
    """By claim: the lines on which a sourced share above 0 is read by some measure or rule at an instant.

    Args:
        in_force: what holds at the instant.
        lines: all lines.
        compiled: those of the instant, compiled.
        select: which they are; all if None.
    """
    found = {}
    for claim, undeclared in lines.sourced.items():
        read = compiled.read.get(claim, np.zeros(lines.count, dtype=bool))
        if claim == US_CLAIM:
            read = read | _base_without_us(in_force, lines)
        mask = read & (np.nan_to_num(lines.fact(claim)) > 0)
        mask = mask if undeclared is None else mask & undeclared
        found[claim] = mask if select is None else mask & select
    return found


def _base_without_us(in_force: InForce, lines: LineArrays) -> Bools:
    """The lines that a row reaches whose base treats US content otherwise than the rest of the value."""
    reached = np.zeros(lines.count, dtype=bool)
    for active in in_force.actives:
        for row in active.rows:
            if row.base[US] != row.base[REST] or row.base[US_ABOVE] != row.base[REST]:
                reached |= scope_mask(row.scope, lines, in_force)
    return reached


def sourced_note(law: Law, lines: LineArrays, sourced: Mapping[str, Bools]) -> list[Note]:
    """For how much value sourced shares stood in, in all and by claim; nothing if there is none."""
    values = {claim: float(lines.value[mask].sum()) for claim, mask in sourced.items()}
    told = [
        f"{claim} on {value:,.0f} USD ({_source(law, claim)})" for claim, value in values.items() if value > 0
    ]
    if not told:
        return []
    total = float(lines.value[np.logical_or.reduce(list(sourced.values()))].sum())
    return [
        Note(
            "SHARE_SOURCED",
            f"Lines worth {total:,.0f} USD do not declare facts that decide their duty, and sourced shares stood in: "
            f"{'; '.join(told)}.",
        )
    ]


def _source(law: Law, claim: str) -> str:
    reference = law.references[law.claims[claim].reference]
    basis = f"{reference.name}: {variant_of(law, reference)}"
    return f"{reference.text}; {basis}" if reference.text else basis


__all__ = ["lines_sourced", "sourced_note"]
