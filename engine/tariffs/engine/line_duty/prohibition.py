"""Find prohibitions on an entry line: the measures, the share of the line they cover, a note on earlier imports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from tariffs.engine.law.conditions import Fact
from tariffs.engine.law.describe_rows import percent
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.matching import Candidates
from tariffs.engine.law.model import Row
from tariffs.engine.law.notes import Note
from tariffs.engine.law.stacking import Layer
from tariffs.engine.rating.facts import split
from tariffs.engine.rating.fits import Stacker

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Prohibited:
    """Ids of the measures that prohibit a line or a part of it, the share of that part in the value, and notes.

    `claims` are the facts that decide it.
    """

    measures: tuple[str, ...] = ()
    share: Decimal = Decimal(0)
    notes: tuple[Note, ...] = ()
    claims: frozenset[str] = frozenset()

    @property
    def whole(self) -> bool:
        """Test whether all of the line is prohibited."""
        return self.share == ONE


NOT_PROHIBITED = Prohibited()


def prohibited_by(
    law: Law, stacker: Stacker, rows: Candidates, facts: Mapping[str, Fact], read: frozenset[str]
) -> Prohibited:
    """Find the prohibitions on a line.

    Args:
        rows: the measures that reach it.
        read: claims that rows or rules may read.

    Raises:
        InputError: TOO_MANY_ATOMS.
    """
    deciding = [row for _, reaching in rows if any(row.prohibits for row in reaching) for row in reaching]
    if not deciding:
        return NOT_PROHIBITED
    claims = frozenset(condition.claim for row in deciding for condition in row.conditions)
    share, notes = Decimal(0), dict[str, Note]()
    for atom in split(law.claims, facts, read):
        prohibitions = stacker.prohibitions(atom.facts)
        for active, row in prohibitions:
            notes.setdefault(
                active.measure.id, _note(law, stacker, active.measure.tested_on, row, atom.facts)
            )
        share += atom.weight * bool(prohibitions)
    named = {name: Note(note.reason, f"{name} {note.message}") for name, note in notes.items()}
    return Prohibited(tuple(named), share, tuple(named.values()), claims)


def _note(law: Law, stacker: Stacker, tested_on: str, row: Row, facts: Mapping[str, Fact]) -> Note:
    since = _since(tested_on, row)
    if since is None:
        return Note("PROHIBITED", "prohibits the importation of these goods: no duty is computed on them.")
    earlier = stacker.layers({**facts, tested_on: since - timedelta(days=1)})
    day = since.astimezone(law.zones[IMPORT]).isoformat(timespec="minutes")
    pay = "; ".join(filter(None, map(_charge_words, earlier))) or "no further duty"
    return Note(
        "PROHIBITED",
        f"prohibits the importation of these goods from {day}: no duty is computed on them. Goods imported earlier "
        f"({tested_on}) may be entered and pay, besides the ordinary duty, {pay}.",
    )


def _since(tested_on: str, row: Row) -> datetime | None:
    """Instant from which a row applies, by the date it is tested on."""
    moments = [c.operand for c in row.conditions if c.claim == tested_on and isinstance(c.operand, datetime)]
    return max(moments, default=None)


def _charge_words(layer: Layer) -> str:
    """Rate, heading and measure of a charged layer; empty for the ordinary duty."""
    row = layer.row
    if not layer.charged or row.kind == "ordinary":
        return ""
    rate = "a duty per unit" if row.rate is None else percent(row.rate)
    prefix = "up to " if row.kind == "topup_to" else ""
    heading = f" under {layer.heading}" if layer.heading else ""
    return f"{prefix}{rate}{heading} ({layer.active.measure.id})"
