"""What calls return: plain frozen values, Decimal for money on one line, Polars frames for tables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal

import polars as pl

from tariffs.client.results.refused import refused_json

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
        return {
            "measure": self.measure,
            "authority": self.authority,
            "heading": self.heading,
            "state": self.state,
            "rate": None if self.rate is None else str(self.rate),
            "base": str(self.base),
            "amount": str(self.amount),
            "min": str(self.min),
            "max": str(self.max),
            "citations": list(self.citations),
            "why": dict(self.why),
        }


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge of the caller's in USD: no duty, and in no base; `base` is what a rate was taken on."""

    kind: str
    label: str
    base: Decimal | None
    amount: Decimal

    def to_json_dict(self) -> dict[str, object]:
        """The charge as in `duty --json`, numbers as decimal strings."""
        return {
            "kind": self.kind,
            "label": self.label,
            "base": None if self.base is None else str(self.base),
            "amount": str(self.amount),
        }


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
        return {
            "heading": self.heading,
            "measures": list(self.measures),
            "rate": None if self.rate is None else str(self.rate),
            "base": str(self.base),
            "amount": str(self.amount),
        }


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
        charges = {"charges": [charge.to_json_dict() for charge in self.charges]} if self.charges else {}
        found: dict[str, object] = {
            "prohibited": list(self.prohibited),
            "assessed": str(self.assessed),
            "owed": str(self.owed),
            "min": str(self.min),
            "max": str(self.max),
            "missing_claims": list(self.missing_claims),
            "assumptions": list(self.assumptions),
            "landed": {name: str(amount) for name, amount in self.landed.items()},
            "layers": [layer.to_json_dict() for layer in self.layers],
            "notes": [note.to_json_dict() for note in self.notes],
            "provenance": dict(self.provenance),
            **charges,
        }
        if self.headings or self.considered:
            found["headings"] = [line.to_json_dict() for line in self.headings]
            found["considered"] = [asdict(one) for one in self.considered]
        return found


@dataclass(frozen=True, slots=True)
class Ranges:
    """Ranges over draws of the elasticities, for every scenario and day. They cover the elasticities alone.

    Attributes:
        groups: rows of group keys and `column`, the result column they are about, with `central` (the run without
            draws), `mean`, `p5`, `p25`, `p50`, `p75`, `p95`, the Monte-Carlo standard errors `p5_error`, `p50_error`,
            `p95_error`, and of the difference from the first scenario of the day `vs_p5`, `vs_p50`, `vs_p95` and
            `vs_positive`, the share of draws in which it is above 0. Quantiles of groups do not add up.
        total: the same for the whole table.
        tornado: per `column` of the total and `parameter`, largest `swing` first: the total with that parameter at
            its p10 (`low`) and p90 (`high`) and all others in the middle, and the `rank_correlation` over the draws.
    """

    groups: pl.DataFrame
    total: pl.DataFrame
    tornado: pl.DataFrame


@dataclass(frozen=True, slots=True)
class ImpactResult:
    """What scenarios do to a trade table, by group and in total.

    Attributes:
        groups: one row per scenario, day and group: `scenario, on`, the keys, then the numbers.
        total: one row per scenario and day: `scenario, on`, then the numbers.
        refused: rows that could not be read: `row, column, reason, found, message`.
        lines: every line of every scenario, if asked for, else None.
        notes: what the caller should know, on the whole run or on one scenario and day.
        provenance: law version, digests, switches: what is needed to replay the result.
        ranges: ranges over draws of the elasticities, if asked for, else None.
        attribution: if asked for, what each change does: `scenario, on, reference, method, unit, text`, the keys,
            `authority`, then differences from the first scenario of the day in dollars: `duty, duty_owed` at
            baseline values, `behavioural` by the response, and `duty_after`, the two together.
    """

    groups: pl.DataFrame
    total: pl.DataFrame
    refused: pl.DataFrame
    lines: pl.DataFrame | None
    notes: tuple[Note, ...]
    provenance: Provenance
    ranges: Ranges | None = None
    attribution: pl.DataFrame | None = None

    def scenario(self, name: str, on: str | None = None) -> pl.DataFrame:
        """The group rows of one scenario, on one day if `on` is given."""
        rows = self.groups.filter(pl.col("scenario") == name)
        return rows if on is None else rows.filter(pl.col("on") == on)

    def to_json_dict(self, refused_path: str | None = None) -> dict[str, object]:
        """The result as in `impact --json`: numbers as floats, what is undefined as None.

        Args:
            refused_path: the file that holds all refused rows, if one was written.
        """
        scenarios = [self._block(*part) for part in self._by_scenario()]
        return {
            "scenarios": scenarios,
            "refused": refused_json(self.refused, refused_path),
            "notes": [note.to_json_dict() for note in self.notes if not note.scenario],
            "provenance": dict(self.provenance),
        }

    def _block(self, total: dict[str, object], groups: pl.DataFrame, notes: list[Note]) -> dict[str, object]:
        scenario, on = str(total.pop("scenario")), str(total.pop("on"))
        return {
            "id": scenario,
            "on": on,
            "groups": _rows(groups),
            "total": total,
            "notes": [note.to_json_dict() for note in notes],
            **self._ranges_of(scenario, on),
            **self._attribution_of(scenario, on),
        }

    def _attribution_of(self, scenario: str, on: str) -> dict[str, object]:
        if self.attribution is None:
            return {}
        rows = self.attribution.filter(scenario=scenario, on=on).drop("scenario", "on")
        return {"attribution": _rows(rows)} if rows.height else {}

    def _ranges_of(self, scenario: str, on: str) -> dict[str, object]:
        if self.ranges is None:
            return {}
        found = {
            "ranges": self.ranges.groups,
            "total_ranges": self.ranges.total,
            "tornado": self.ranges.tornado,
        }
        return {
            name: _rows(frame.filter(scenario=scenario, on=on).drop("scenario", "on"))
            for name, frame in found.items()
        }

    def _by_scenario(self) -> list[tuple[dict[str, object], pl.DataFrame, list[Note]]]:
        parts = []
        for total in _rows(self.total):
            run = total["scenario"], total["on"]
            groups = self.groups.filter(pl.col("scenario") == run[0], pl.col("on") == run[1])
            notes = [note for note in self.notes if (note.scenario, note.on) == run]
            parts.append((total, groups.drop("scenario", "on"), notes))
        return parts


@dataclass(frozen=True, slots=True)
class TimelineResult:
    """Scenarios over a period, a segment of days on which the law stands alike at a time.

    Attributes:
        segments: one row per scenario, segment and group: `scenario, start, end, days`, the keys, then the numbers at
            the table's yearly values; `end` is the segment's last day.
        totals: one row per scenario and segment.
        averages: one row per scenario and group: means over the period, weighted by days.
        average_total: one row per scenario.
        refused: rows that could not be read: `row, column, reason, found, message`.
        notes: what the caller should know.
        provenance: law version, digests, switches: what is needed to replay the result.
    """

    segments: pl.DataFrame
    totals: pl.DataFrame
    averages: pl.DataFrame
    average_total: pl.DataFrame
    refused: pl.DataFrame
    notes: tuple[Note, ...]
    provenance: Provenance

    def to_json_dict(self, refused_path: str | None = None) -> dict[str, object]:
        """The result as in `timeline --json`: numbers as floats, what is undefined as None.

        Args:
            refused_path: the file that holds all refused rows, if one was written.
        """
        names = self.totals["scenario"].unique(maintain_order=True).to_list() if self.totals.height else []
        frames = {
            "groups": self.segments,
            "totals": self.totals,
            "averages": self.averages,
            "average_total": self.average_total,
        }
        return {
            "scenarios": [
                {"id": name}
                | {key: _rows(frame.filter(scenario=name).drop("scenario")) for key, frame in frames.items()}
                for name in names
            ],
            "refused": refused_json(self.refused, refused_path),
            "notes": [note.to_json_dict() for note in self.notes],
            "provenance": dict(self.provenance),
        }


def _rows(frame: pl.DataFrame) -> list[dict[str, object]]:
    return [{name: _plain(value) for name, value in row.items()} for row in frame.to_dicts()]


def _plain(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
