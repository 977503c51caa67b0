"""What calls about the law and its scenarios return."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """One row of a period in words: whom it fits, what it charges and on what, under which conditions and heading."""

    goods: str
    charge: str
    base: str
    conditions: str
    heading: str


@dataclass(frozen=True, slots=True)
class NamedList:
    """A product list by name, and how many codes it has on the law's as-of day."""

    id: str
    codes: int


@dataclass(frozen=True, slots=True)
class Period:
    """What an instrument enacted, from an instant on.

    Attributes:
        id: label that scenarios may name.
        start: first instant; empty if never enacted.
        end: the end the instrument itself writes, exclusive; empty where it writes none.
        known_from: day it was published.
        citations: legal sources.
        confidence: A (primary text read), B, C or U.
        rows: its rows as enacted; the first that fits a line holds.
    """

    id: str
    start: str
    end: str
    known_from: str
    citations: tuple[str, ...]
    confidence: str
    rows: tuple[MeasureRow, ...] = ()


@dataclass(frozen=True, slots=True)
class MeasureEvent:
    """An act on a measure: its verb, when it bites and ends, when it was published, and its text."""

    op: str
    start: str
    end: str
    known_from: str
    citations: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One legal duty through time.

    Attributes:
        id: the id, which carries no rate and no date.
        title: what it is.
        authority: node of the authority tree.
        direction: import, export, port_call or control.
        modelled: False if it is known to the law and charges nothing yet.
        announced: True if announced without an instrument, so never charged.
        confidence: A (primary text read), B, C or U.
        citations: legal sources.
        note: what else to know.
        periods: its periods, oldest first; empty in lists.
        events: what was done to it later, oldest first; empty in lists.
        lists: the product lists that its rows name; empty in lists of measures.
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

    @property
    def standing(self) -> str:
        """`modelled`, `announced`, or `not modelled yet`."""
        if self.announced:
            return "announced"
        return "modelled" if self.modelled else "not modelled yet"

    def to_json_dict(self) -> dict[str, object]:
        """The measure as plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Switch:
    """A doubtful fact or a settled choice of the law data, with its default and how else it may stand."""

    id: str
    default: str
    values: tuple[str, ...]
    text: str
    citations: tuple[str, ...]
    confidence: str


@dataclass(frozen=True, slots=True)
class ClaimKind:
    """A fact about goods that decides a layer: type (share, content, bool, ...), role, and what it says."""

    id: str
    type: str
    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Law:
    """The law a server knows.

    Attributes:
        version: YYYY.MM.DD.n of the last act read.
        as_of: the day it is as of; the default of every day asked.
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
class ScenarioInfo:
    """A scenario of the library; `text` is its YAML, empty in lists."""

    id: str
    title: str
    description: str
    basis: str
    parents: tuple[str, ...]
    digest: str
    tags: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a scenario file; `line` and `column` count from 1, None if not known."""

    path: str
    line: int | None
    column: int | None
    reason: str
    message: str
    fix: str
    severity: str

    def to_json_dict(self) -> dict[str, object]:
        """The problem as in `scenario check --json`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What is wrong with a scenario; `ok` if nothing is worse than a warning."""

    ok: bool
    problems: tuple[Problem, ...]

    def to_json_dict(self) -> dict[str, object]:
        """The check as in `scenario check --json`."""
        return {"ok": self.ok, "problems": [problem.to_json_dict() for problem in self.problems]}


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that two scenarios have otherwise.

    Attributes:
        kind: measure, rule, switch, claim, quantity or assumption.
        id: its id.
        authority: authority of a measure.
        direction: direction of a measure.
        start: instant from which it differs; empty is from the beginning.
        end: instant until which it differs; empty is without an end.
        first: how it stands under the first scenario.
        second: how it stands under the second.
        text: all of it in one sentence.
        goods: the part of a measure's goods that differs, in words; empty where it is not narrowed.
    """

    kind: str
    id: str
    authority: str
    direction: str
    start: str
    end: str
    first: str
    second: str
    text: str
    goods: str = ""

    def to_json_dict(self) -> dict[str, str]:
        """The difference as in `scenario diff --json`."""
        return asdict(self)
