"""Result of one entry line: the quote, its layers, headings and notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from tariffs.client.results.json_values import json_fields, json_value

Provenance = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Note:
    """Something the caller should know: a reason of the catalogue, its text, and the run it is about, if one."""

    reason: str
    message: str
    scenario: str = ""
    on: str = ""

    def to_json_dict(self) -> dict[str, str]:
        """The note as plain data: `{"reason", "message"}`."""
        return {"reason": self.reason, "message": self.message}


@dataclass(frozen=True, slots=True)
class Layer:
    """One measure as it meets one line.

    Attributes:
        measure: id of the measure.
        authority: node of the authority tree.
        heading: chapter-99 heading, or the schedule line of the ordinary duty.
        state: applied, exempt, displaced, suspended, undetermined or prohibited.
        rate: fraction, or None where the duty is not ad valorem.
        base: USD the rate bites on.
        amount: duty in USD; the amounts of all layers sum to what is assessed.
        min: least duty over the facts that were asked and not declared.
        max: most duty over them.
        citations: legal sources.
        why: rule, text and operands that decided the state.
    """

    measure: str
    authority: str
    heading: str
    state: str
    rate: Decimal | None
    base: Decimal
    amount: Decimal
    min: Decimal
    max: Decimal
    citations: tuple[str, ...]
    why: Mapping[str, str]

    def to_json_dict(self) -> dict[str, object]:
        """The layer as in `duty --json`, money and rate as decimal strings."""
        return json_fields(self)


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge of the caller's in USD: no duty, and in no base; `base` is what a rate was taken on."""

    kind: str
    label: str
    base: Decimal | None
    amount: Decimal

    def to_json_dict(self) -> dict[str, object]:
        """The charge as in `duty --json`, numbers as decimal strings."""
        return json_fields(self)


@dataclass(frozen=True, slots=True)
class Considered:
    """A measure, or one row of it, that was looked at and made no layer.

    Attributes:
        measure: id of the measure.
        authority: node of the authority tree.
        heading: heading it would be reported under; empty where it has none.
        outcome: not_claimed, not_listed, taken_out, ended, not_modelled or switched_off.
        rule: the period or act that decides.
        text: why, in one sentence.
        citations: legal sources.
        operands: what the sentence was rendered from, by name.
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
class HeadingLine:
    """One heading as an entry summary reports it; `rate` is None if not ad valorem or not the same throughout."""

    heading: str
    measures: tuple[str, ...]
    rate: Decimal | None
    base: Decimal
    amount: Decimal

    def to_json_dict(self) -> dict[str, object]:
        """The heading as in `duty --json`, money and rate as decimal strings."""
        return json_fields(self)


@dataclass(frozen=True, slots=True)
class Quote:
    """The duty on one entry line, with every layer named, cited and explained. A planning estimate, not a ruling.

    Attributes:
        assessed: duty in USD under all acts known on `known_on`.
        owed: the same with invalidations biting from the beginning; assessed - owed is refundable.
        min: least assessed duty over the facts that were asked and not declared.
        max: most assessed duty over them.
        missing_claims: the facts that were asked and not declared.
        assumptions: what was taken for granted about facts not asked.
        landed: parts of the landed cost in USD by name.
        layers: every measure that meets the line.
        notes: what else the caller should know.
        headings: headings in the order of an entry summary, zero ones too; empty where not asked for, as in a batch.
        considered: what was looked at and made no layer, and why; empty where not asked for.
        provenance: law version, digests, switches: what the answer was made from.
        charges: the caller's other charges, which are in `landed` and in no duty.
        prohibited: measures under which the goods, or the part of them in a layer of that state, may not be imported.
    """

    assessed: Decimal
    owed: Decimal
    min: Decimal
    max: Decimal
    missing_claims: tuple[str, ...]
    assumptions: tuple[str, ...]
    landed: Mapping[str, Decimal]
    layers: tuple[Layer, ...]
    notes: tuple[Note, ...]
    provenance: Provenance
    charges: tuple[Charge, ...] = ()
    headings: tuple[HeadingLine, ...] = ()
    considered: tuple[Considered, ...] = ()
    prohibited: tuple[str, ...] = ()

    @property
    def refundable(self) -> Decimal:
        """USD that comes back: assessed - owed."""
        return self.assessed - self.owed

    def to_frame(self) -> pl.DataFrame:
        """The layers as a frame: one row per layer, money and rates as float64."""
        numbers = ("rate", "base", "amount", "min", "max")
        schema = dict.fromkeys(("measure", "authority", "heading", "state"), pl.String()) | dict.fromkeys(
            numbers, pl.Float64()
        )
        rows = [
            {name: getattr(layer, name) for name in schema}
            | {
                name: None if getattr(layer, name) is None else float(getattr(layer, name))
                for name in numbers
            }
            for layer in self.layers
        ]
        return pl.DataFrame(rows, schema=schema)

    def to_json_dict(self) -> dict[str, object]:
        """The answer as in `duty --json`, money as decimal strings; `charges` is there where some were given."""
        document: dict[str, object] = {
            "prohibited": list(self.prohibited),
            "assessed": str(self.assessed),
            "owed": str(self.owed),
            "min": str(self.min),
            "max": str(self.max),
            "missing_claims": list(self.missing_claims),
            "assumptions": list(self.assumptions),
            "landed": json_value(self.landed),
            "layers": json_value(self.layers),
            "notes": [note.to_json_dict() for note in self.notes],
            "provenance": dict(self.provenance),
        }
        if self.charges:
            document["charges"] = json_value(self.charges)
        if self.headings or self.considered:
            document |= {"headings": json_value(self.headings), "considered": json_value(self.considered)}
        return document
