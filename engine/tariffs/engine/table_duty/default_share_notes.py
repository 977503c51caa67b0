"""Find the lines whose duty depends on default shares of undeclared facts, and report their value."""

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


def lines_with_default_shares(
    in_force: InForce, lines: LineArrays, compiled: Compiled, select: Bools | None
) -> dict[str, Bools]:
    """Mark, by claim, the lines on which a measure or rule reads a default share above 0 at an instant.

    Args:
        in_force: the law in force at the instant.
        lines: all lines.
        compiled: the lines of the instant, compiled.
        select: the lines of the instant; all if None.
    """
    masks = {}
    for claim, undeclared in lines.sourced.items():
        read = compiled.read.get(claim, np.zeros(lines.count, dtype=bool))
        if claim == US_CLAIM:
            read = read | _base_without_us(in_force, lines)
        mask = read & (np.nan_to_num(lines.fact(claim)) > 0)
        mask = mask if undeclared is None else mask & undeclared
        masks[claim] = mask if select is None else mask & select
    return masks


def _base_without_us(in_force: InForce, lines: LineArrays) -> Bools:
    """Mark the lines within a row whose base weights US content differently from the rest of the value."""
    reached = np.zeros(lines.count, dtype=bool)
    for active in in_force.actives:
        for row in active.rows:
            if row.base[US] != row.base[REST] or row.base[US_ABOVE] != row.base[REST]:
                reached |= scope_mask(row.scope, lines, in_force)
    return reached


def default_share_note(law: Law, lines: LineArrays, sourced: Mapping[str, Bools]) -> list[Note]:
    """Report the value of lines with default shares, in total and by claim; nothing if there is none."""
    values = {claim: float(lines.value[mask].sum()) for claim, mask in sourced.items()}
    listed = [
        f"{claim} on {value:,.0f} USD ({_source(law, claim)})" for claim, value in values.items() if value > 0
    ]
    if not listed:
        return []
    total = float(lines.value[np.logical_or.reduce(list(sourced.values()))].sum())
    return [
        Note(
            "SHARE_SOURCED",
            f"Lines worth {total:,.0f} USD do not declare facts that decide their duty; default shares were used: "
            f"{'; '.join(listed)}.",
        )
    ]


def _source(law: Law, claim: str) -> str:
    reference = law.references[law.claims[claim].reference]
    basis = f"{reference.name}: {variant_of(law, reference)}"
    return f"{reference.text}; {basis}" if reference.text else basis
