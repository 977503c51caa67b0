"""Result of one entry line: the quote, its layers, headings and notes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl

from tariffs.client.results import charts, html
from tariffs.client.results.charts import Chart
from tariffs.client.results.json_values import Plain, json_fields, json_value
from tariffs.client.results.palette import PALETTE
from tariffs.client.results.short_names import label_of, spelled_out
from tariffs.client.results.tables import ShortTable

Provenance = Mapping[str, object]


def part_of(provenance: Provenance, *path: str) -> Any:
    """Look up a part of a provenance by the names on the way to it; None where there is none."""
    part: Any = provenance
    for name in path:
        part = part.get(name) if isinstance(part, Mapping) else None
    return part


_BILL = ("state", "measure", "heading", "rate", "base", "amount")
_BILL_WORDS = 3
_CAPTION = "USD; the sources of a layer are shown over its measure"
_ALWAYS_IN_JSON = (
    "prohibited", "headings", "assessed", "owed", "min", "max", "missing_claims", "assumptions", "landed", "layers",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Note:
    """Note on a result: a reason of the catalogue, its text, and the scenario and day it is about, if any."""

    reason: str
    message: str
    scenario: str = ""
    on: str = ""

    def to_json_dict(self) -> dict[str, str]:
        """Convert to plain data: `{"reason", "message"}`."""
        return {"reason": self.reason, "message": self.message}


@dataclass(frozen=True, slots=True)
class Layer:
    """Duty of one measure on one line.

    Attributes:
        measure: id of the measure.
        authority: node of the authority tree.
        heading: chapter-99 heading, or the schedule line of the ordinary duty.
        state: applied, exempt, displaced, suspended, undetermined or prohibited.
        rate: fraction, or None where the duty is not ad valorem.
        base: USD that the rate applies to.
        amount: duty in USD; the amounts of all layers sum to what is assessed.
        min: lowest duty over all values of the facts in `missing_claims`.
        max: highest duty over them.
        citations: legal sources.
        why: rule, text and operands that decide the state; empty if not requested.
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
        """Convert to the form of `duty --json`, money and rate as decimal strings; `why` only if requested."""
        document = json_fields(self)
        if not self.why:
            del document["why"]
        return document


@dataclass(frozen=True, slots=True)
class Charge(Plain):
    """Charge stated by the caller in USD, not a duty; `base` is the amount that its rate applies to."""

    kind: str
    label: str
    base: Decimal | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Considered:
    """Measure, or row of one, that matched the line but did not apply.

    Attributes:
        measure: id of the measure.
        authority: node of the authority tree.
        heading: heading it would be reported under; empty where it has none.
        outcome: not_claimed, not_listed, taken_out, ended, not_modelled or switched_off.
        rule: the period or act that decides.
        text: reason, in one sentence.
        citations: legal sources.
        operands: values in the sentence, by name.
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
class HeadingLine(Plain):
    """Heading as an entry summary reports it; `rate` is None if not ad valorem or not uniform."""

    heading: str
    measures: tuple[str, ...]
    rate: Decimal | None
    base: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True, repr=False)
class Quote:
    """Duty on one entry line, with every layer named and cited. A planning estimate, not a ruling.

    Reasons are computed on request: `Client.duty(..., why=True)`, or `why()` on an answer without them.

    Attributes:
        assessed: duty in USD under all acts known on `known_on`.
        owed: the same with invalidated acts void from the beginning; assessed - owed is refundable.
        min: lowest assessed duty over all values of `missing_claims`.
        max: highest assessed duty over them.
        missing_claims: undeclared facts that the duty depends on.
        assumptions: values assumed for other undeclared facts.
        landed: parts of the landed cost in USD by name.
        layers: every measure that matches the line.
        notes: notes on the answer.
        headings: headings in the order of an entry summary, zero amounts included.
        considered: measures that matched but did not apply, with reasons; empty if not requested.
        provenance: law version, digests and switches: inputs of the answer.
        charges: charges stated by the caller, included in `landed` and not in the duty.
        prohibited: measures under which the goods, or the part of them in a layer of that state, may not be imported.
        ask_why: asks for the same line with reasons; None if this answer has them.
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
    ask_why: Callable[[], Quote] | None = field(default=None, repr=False, compare=False)

    def why(self) -> Quote:
        """Fetch the same answer with the reasons: `why` of each layer, and `considered`.

        The line is asked again with one call unless the answer has its reasons; its client must still be open.

        Raises:
            Unavailable: no server answers.
            DeadlineExceeded: the deadline passed.
        """
        return self if self.ask_why is None else self.ask_why()

    def __hash__(self) -> int:
        # Mappings among the fields have no hash; equal answers have equal amounts and measures.
        measures = tuple((layer.measure, layer.amount) for layer in self.layers)
        return hash((self.assessed, self.owed, self.min, self.max, self.missing_claims, measures))

    def __repr__(self) -> str:
        return f"{self._sums()}\n{ShortTable('', _BILL, [*map(_bill_row, self.layers)], _BILL_WORDS)}"

    def _repr_html_(self) -> str:
        rows: list[list[str | html.Cell]] = [
            [
                html.Cell(state, colour=html.STATE_COLOURS.get(state, "")),
                html.Cell(measure, hover="; ".join(layer.citations), key=colour if layer.amount > 0 else ""),
                *cells,
            ]
            for layer, colour in zip(self.layers, itertools.cycle(PALETTE), strict=False)
            for state, measure, *cells in [_bill_row(layer)]
        ]
        bar = [
            (f"{_named(layer.measure)}: {layer.amount:,} USD", float(layer.amount), colour)
            for layer, colour in zip(self.layers, itertools.cycle(PALETTE), strict=False)
        ]
        return html.block(
            html.heading(self._sums()),
            html.bill_bar(bar),
            html.table(_BILL, len(_BILL) - _BILL_WORDS, rows, _CAPTION),
            html.folded(f"Assumed ({len(self.assumptions)})", html.items(self.assumptions)),
            self._reasons(),
            html.folded_notes(self.notes),
            html.paragraph(html.law_line(self.provenance), "dim"),
        )

    def _sums(self) -> str:
        parts = [f"Duty {self.assessed:,} USD"]
        if self.owed != self.assessed:
            parts.append(f"of which {self.owed:,} owed")
        if (self.min, self.max) != (self.assessed, self.assessed):
            parts.append(f"{self.min:,} to {self.max:,} depending on {', '.join(self.missing_claims)}")
        if "total" in self.landed:
            parts.append(f"landed cost {self.landed['total']:,}")
        if self.prohibited:
            parts.append(f"prohibited by {', '.join(self.prohibited)}")
        return "; ".join(parts)

    def _reasons(self) -> str:
        if self.ask_why is not None:
            return html.paragraph(
                "quote.why() fetches the reasons, and the measures that do not apply.", "dim"
            )
        reasons = [
            spelled_out(f"{layer.measure}: {text}")
            for layer in self.layers
            if (text := layer.why.get("text") or layer.why.get("rule"))
        ]
        others = [spelled_out(f"{one.measure}: {one.text}") for one in self.considered]
        return html.folded("Reasons of the layers", html.items(reasons)) + html.folded(
            f"Measures that matched and do not apply ({len(others)})", html.items(others)
        )

    @property
    def refundable(self) -> Decimal:
        """Refundable duty in USD: assessed - owed."""
        return self.assessed - self.owed

    def chart(self) -> Chart:
        """Draw the layers that charge something as steps that add up to the duty.

        Raises:
            ExtraMissing: the extra `notebook` is not installed.
        """
        charged = [layer for layer in self.layers if layer.amount]
        labels = [f"{label_of('measure', layer.measure)}, {layer.heading}" for layer in charged]
        return charts.waterfall(labels, [float(layer.amount) for layer in charged])

    def to_frame(self) -> pl.DataFrame:
        """Convert the layers to a frame: one row per layer, money and rates as float64."""
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
        """Convert to the document of `duty --json`, money as decimal strings.

        `charges` only if some were given; `considered`, `notes` and `provenance` only with the reasons.
        """
        charges = ["charges"] if self.charges else []
        reasons = ["considered", "notes", "provenance"] if self.ask_why is None else []
        return {name: json_value(getattr(self, name)) for name in [*_ALWAYS_IN_JSON, *charges, *reasons]}


def _named(measure: str) -> str:
    """Name a measure, with its id for `client.measure(id)`."""
    name = label_of("measure", measure)
    return measure if name == measure else f"{name} ({measure})"


def _bill_row(layer: Layer) -> list[str]:
    rate = "" if layer.rate is None else f"{(layer.rate * 100).normalize():f} %"
    return [layer.state, _named(layer.measure), layer.heading, rate, f"{layer.base:,}", f"{layer.amount:,}"]
