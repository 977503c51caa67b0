"""Types of the answers of tools, which their output schemas are made of: amounts and rates are decimal text."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class LawFacts:
    """Law that an answer is computed under; an empty text does not apply."""

    law_version: str
    law_digest: str
    law_read_to: str
    known_on: str


@dataclass
class ToolAnswer:
    """Facts of every answer: the law, its legal sources, and that the figures are no ruling."""

    law: LawFacts
    citations: list[str]
    notice: str


@dataclass
class DutyItem:
    """Duty of one measure, USD; the rate is a fraction, null if the duty is not ad valorem."""

    measure: str
    authority: str
    heading: str
    state: str
    rate: str | None
    base: str
    amount: str
    min: str
    max: str
    citations: list[str]


@dataclass
class QuoteAnswer(ToolAnswer):
    """Duty on one line, USD, from `min` to `max` over the facts in `missing_claims`."""

    assessed: str
    owed: str
    min: str
    max: str
    missing_claims: list[str]
    assumptions: list[str]
    prohibited: list[str]
    landed: dict[str, str]
    layers: list[DutyItem]
    notes: list[str]


@dataclass
class ExplainedItem(DutyItem):
    """Duty of one measure with the rule, text and operands that decide its state."""

    why: dict[str, str] = field(default_factory=dict)


@dataclass
class OmittedMeasure:
    """Measure that matched a line and did not apply, with the reason."""

    measure: str
    outcome: str
    text: str
    citations: list[str]


@dataclass
class ExplainAnswer(QuoteAnswer):
    """Quote with the reasons of its layers, and the measures that did not apply."""

    layers: list[ExplainedItem]  # type: ignore[assignment] # the same items with more facts
    considered: list[OmittedMeasure]


@dataclass
class QuotedRow:
    """Duty on one row of a table, USD, from `min` to `max` over the facts in `missing_claims`."""

    row: int
    assessed: str
    owed: str
    min: str
    max: str
    missing_claims: list[str]
    prohibited: list[str]


@dataclass
class RefusedRow:
    """Row that could not be used: where, for which reason of the catalogue, and what was found."""

    row: int
    column: str
    reason: str
    found: str | None
    message: str


@dataclass
class QuotesAnswer(ToolAnswer):
    """Duty on rows of a table, and their sums."""

    lines: list[QuotedRow]
    refused: list[RefusedRow]
    total: dict[str, str]


@dataclass
class ScenarioEffect:
    """Effect of a scenario on a day, by group and in total: USD, and fractions in columns of rates and shares."""

    id: str
    on: str
    total: dict[str, str | None]
    groups: list[dict[str, str | None]]
    groups_left_off: int


@dataclass
class ImpactAnswer(ToolAnswer):
    """Effect of scenarios on trade."""

    scenarios: list[ScenarioEffect]
    refused_rows: int
    notes: list[str]


@dataclass
class ScenarioProblem:
    """Problem of a scenario's text; lines count from 1."""

    line: int | None
    column: int | None
    reason: str
    message: str
    fix: str
    severity: str


@dataclass
class CheckAnswer(ToolAnswer):
    """Problems of a scenario's text; it can be run if `ok`."""

    ok: bool
    problems: list[ScenarioProblem]


@dataclass
class ChangeOfLaw:
    """Change of the law, with the day of its publication."""

    id: str
    kind: str
    effect_time: str
    known_from: str
    measures: list[str]
    text: str
    citations: list[str]


@dataclass
class ChangesAnswer(ToolAnswer):
    """Changes of the law in a period."""

    changes: list[ChangeOfLaw]
    changes_left_off: int


@dataclass
class RefundedEntry:
    """Refund of one entry, USD."""

    entry_id: str | None
    row: int
    assessed: str
    owed: str
    refundable: str
    refund: str
    interest: str


@dataclass
class RefundAnswer(ToolAnswer):
    """Refunds of entries and their sums, USD."""

    entries: list[RefundedEntry]
    refused: list[RefusedRow]
    total: dict[str, str]


@dataclass
class FoundCode:
    """Code to look into, with the range of its duty as fractions over its codes and facts not declared."""

    hts: str
    text: str
    score: float
    low: str | None
    high: str | None
    covers: int
    words: list[str]
    facts: list[str]


@dataclass
class FindAnswer(ToolAnswer):
    """Codes that goods of some words may have; never a classification."""

    candidates: list[FoundCode]
    low: str | None
    high: str | None
    searched: str
    corrected: dict[str, str]
    unknown: list[str]
