"""Results of calls about the law and its scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tariffs.client.results import html
from tariffs.client.results.json_values import Plain, json_value

_LISTED = (
    "id", "title", "authority", "direction", "destination", "modelled", "announced", "confidence", "citations",
    "standing",
)  # fmt: skip
PERIOD_COLUMNS = ("charge", "goods", "if", "heading", "base", "published", "what it is")
"""Titles of the rows of a period."""


@dataclass(frozen=True, slots=True)
class LawVersion(Plain):
    """Law that calls may name, or a law pack that is being checked or was refused.

    Attributes:
        version: its version; empty for a pack that is not served.
        digest: SHA-256 of its content; empty for a pack that is not served.
        as_of: the day that it describes.
        read_to: the last day up to which acts have been read.
        pack: name of the file of its pack; empty for the law built in.
        state: served, loading or refused.
        reason: reason of a refusal.
        message: the refusal in words.
        fix: what to do about it.
        state_time: when it was first served or refused, RFC 3339.
        key_id: id of the key that signed the pack; empty without a signature.
        is_default: it answers calls that name no law.
        is_latest: it answers calls that name `latest`.
    """

    version: str
    digest: str
    as_of: str
    read_to: str
    pack: str
    state: str
    reason: str
    message: str
    fix: str
    state_time: str
    key_id: str
    is_default: bool
    is_latest: bool

    @property
    def exact(self) -> str:
        """Name of the law for good: `VERSION@DIGEST`."""
        return f"{self.version}@{self.digest}" if self.digest else ""


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """Row of a period in words: goods, charge, base, conditions and heading.

    `known_from` is the day of its publication where it was added to its period later, else empty; `label` says what
    the row is, where the law's file does.
    """

    goods: str
    charge: str
    base: str
    conditions: str
    heading: str
    known_from: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class NamedList:
    """Product list, with its number of codes on the law's as-of day."""

    id: str
    codes: int


@dataclass(frozen=True, slots=True)
class MeasureCode(Plain):
    """Code that a measure names, itself or by a list; `is_left_out` if rows name it as left out of their goods."""

    code: str
    list: str
    is_left_out: bool

    @property
    def dotted(self) -> str:
        """The code with its dots."""
        return ".".join(filter(None, (self.code[:4], self.code[4:6], self.code[6:8], self.code[8:])))


@dataclass(frozen=True, slots=True)
class MeasureCodes(Plain):
    """Page of the codes of a measure, `total_size` on all pages; those that rows name themselves come first."""

    codes: tuple[MeasureCode, ...]
    total_size: int
    next_page_token: str


@dataclass(frozen=True, slots=True)
class Period:
    """Period of a measure, as enacted by one instrument.

    Attributes:
        id: label that scenarios may name.
        start: first instant; empty if never enacted.
        end: the end the instrument itself writes, exclusive; empty where it writes none.
        known_from: day of its publication.
        citations: legal sources.
        confidence: A (primary text read), B, C or U.
        rows: its rows as enacted; the first that fits a line holds.
        switches: values of switches under which alone it exists.
    """

    id: str
    start: str
    end: str
    known_from: str
    citations: tuple[str, ...]
    confidence: str
    rows: tuple[MeasureRow, ...] = ()
    switches: Mapping[str, str] = field(default_factory=dict)

    @property
    def standing(self) -> str:
        """Its publication, confidence and switches in words."""
        return standing_words(self.known_from, self.confidence, self.switches)


@dataclass(frozen=True, slots=True)
class MeasureEvent:
    """Act on a measure: its verb, start, end, day of publication and text.

    `goods`, `conditions` and `heading` are those of an exemption or a narrower act; `switches` are the values of
    switches under which alone it exists.
    """

    op: str
    start: str
    end: str
    known_from: str
    citations: tuple[str, ...]
    text: str
    confidence: str = ""
    switches: Mapping[str, str] = field(default_factory=dict)
    goods: str = ""
    conditions: str = ""
    heading: str = ""

    @property
    def standing(self) -> str:
        """Its publication, confidence and switches in words."""
        return standing_words(self.known_from, self.confidence, self.switches)

    @property
    def reach(self) -> str:
        """The goods it reaches, their conditions and the heading it sets, in words; empty if it sets none of them."""
        words = [
            f"for {self.goods}" if self.goods else "",
            f"if {self.conditions}" if self.conditions else "",
        ]
        return " ".join(filter(None, [*words, f"under heading {self.heading}" if self.heading else ""]))


def standing_words(known_from: str, confidence: str, switches: Mapping[str, str]) -> str:
    """Describe when something was published, how well it is founded and the switches that it needs."""
    only = " and ".join(f"{name} is {value}" for name, value in sorted(switches.items()))
    words = [f"published {known_from}" if known_from else "", f"confidence {confidence or 'not given'}"]
    return ", ".join(filter(None, [*words, f"only if switch {only}" if only else ""]))


@dataclass(frozen=True, slots=True, repr=False)
class Measure(Plain):
    """One legal duty through time.

    Attributes:
        id: the id, which carries no rate and no date.
        title: short description.
        authority: node of the authority tree.
        direction: import, export, port_call or control.
        modelled: False if it is known to the law and charges nothing yet.
        announced: True if announced without an instrument, so never charged.
        confidence: A (primary text read), B, C or U.
        citations: legal sources.
        note: remarks.
        periods: its periods, oldest first; empty in lists.
        events: later acts on it, oldest first; empty in lists.
        lists: the product lists that its rows name; empty in lists of measures.
        destination: ISO code of the country whose duty it is, of the direction export; empty in the others.
        switches: values of switches under which alone it exists.
    """

    id: str
    title: str
    authority: str
    direction: str
    modelled: bool
    announced: bool
    confidence: str
    citations: tuple[str, ...]
    note: str
    periods: tuple[Period, ...]
    events: tuple[MeasureEvent, ...]
    lists: tuple[NamedList, ...] = ()
    destination: str = ""
    switches: Mapping[str, str] = field(default_factory=dict)

    def summary(self) -> dict[str, object]:
        """Convert to its row of `law measures --json`: without note, periods, acts and lists."""
        return {name: json_value(getattr(self, name)) for name in _LISTED}

    @property
    def way(self) -> str:
        """Direction, with the destination where it has one: `export to CN`."""
        return f"{self.direction} to {self.destination}" if self.destination else self.direction

    @property
    def standing(self) -> str:
        """Status of the measure: `modelled`, `announced`, or `not modelled yet`."""
        if self.announced:
            return "announced"
        return "modelled" if self.modelled else "not modelled yet"

    def __repr__(self) -> str:
        return f"Measure {self.id}: {self.title} ({self.authority}, {self.way}, {self.standing})"

    def _repr_html_(self) -> str:
        acts: list[list[str | html.Cell]] = [
            [
                one.op,
                html.Cell(" ".join(filter(None, (one.text, one.reach))), hover="; ".join(one.citations)),
                one.start,
                one.end,
                one.standing,
            ]
            for one in self.events
        ]
        lists = [f"{one.id} ({one.codes:,} codes)" for one in self.lists]
        return html.block(
            html.heading(f"{self.id}: {self.title}"),
            html.paragraph(f"{self.authority}, {self.way}, {self.standing}, confidence {self.confidence}"),
            html.paragraph("; ".join(self.citations) or "no citation", "dim"),
            html.paragraph(self.note) if self.note else "",
            *(_period_html(period) for period in self.periods),
            html.table(("act", "text", "from", "until", ""), 0, acts, "later acts") if acts else "",
            html.folded(f"Product lists ({len(lists)})", html.items(lists)),
        )


@dataclass(frozen=True, slots=True)
class Switch(Plain):
    """Disputed or open point of the law, with its default and its other values."""

    id: str
    default: str
    values: tuple[str, ...]
    text: str
    citations: tuple[str, ...]
    confidence: str


@dataclass(frozen=True, slots=True)
class ClaimKind:
    """Fact about goods that a duty depends on: type (share, content, bool, ...), role and description."""

    id: str
    type: str
    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Law:
    """Version of the law, with its switches and claims.

    Attributes:
        version: YYYY.MM.DD.n of the last act read.
        as_of: as-of day of the law; the default of every date.
        read_to: the last day to which acts have been read; empty from a server that does not say.
        coverage: first instant covered, and first no longer covered.
        digest: SHA-256 of the canonical law data.
        switches: its switches, by name.
        claims: its claims, by name.
    """

    version: str
    as_of: str
    read_to: str
    coverage: tuple[str, str]
    digest: str
    switches: tuple[Switch, ...]
    claims: tuple[ClaimKind, ...]


@dataclass(frozen=True, slots=True)
class Parameter(Plain):
    """Parameter of a scenario.

    Attributes:
        name: its name, written `$name` in the file.
        kind: rate, share, weight, number, step, date or on_off; empty if it is not used.
        default: its value in a run that gives none.
        value: the value filled in.
        title: one line.
    """

    name: str
    kind: str
    default: str
    value: str
    title: str


@dataclass(frozen=True, slots=True, repr=False)
class ScenarioInfo:
    """Scenario of the library; `text` is its YAML, empty in lists, and `parameters` are those it has."""

    id: str
    title: str
    description: str
    basis: str
    parents: tuple[str, ...]
    digest: str
    tags: tuple[str, ...]
    text: str
    parameters: tuple[Parameter, ...] = ()

    def __repr__(self) -> str:
        return f"Scenario {self.id}: {self.title} ({self.basis})"

    def _repr_html_(self) -> str:
        parents = f"; changes {', '.join(self.parents)}" if self.parents else ""
        return html.block(
            html.heading(f"{self.id}: {self.title}"),
            html.paragraph(f"{self.basis}{parents}", "dim"),
            html.paragraph(self.description) if self.description else "",
            parameters_html(self.parameters),
            html.folded("Text", html.code(self.text)) if self.text else "",
        )


def _period_html(period: Period) -> str:
    end = f" to {period.end}" if period.end else ""
    cites = "; ".join(period.citations)
    title = f"period {period.id}: from {period.start or 'never enacted'}{end}, {period.standing}; {cites}"
    return html.table(PERIOD_COLUMNS, 0, period_rows(period), title)


def period_rows(period: Period) -> list[list[str]]:
    """List the rows of a period as cells under `PERIOD_COLUMNS`."""
    return [
        [row.charge, row.goods, row.conditions, row.heading, row.base, row.known_from, row.label]
        for row in period.rows
    ]


def parameters_html(parameters: tuple[Parameter, ...]) -> str:
    """Write parameters of a scenario as an HTML table; empty without any."""
    rows = [[one.name, one.kind, one.default, one.value, one.title] for one in parameters]
    return html.table(("parameter", "kind", "default", "value", ""), 0, rows) if rows else ""
