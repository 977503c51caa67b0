"""Results of checking a scenario, and of comparing the law under two scenarios."""

from __future__ import annotations

from dataclasses import dataclass

from tariffs.client.results import html
from tariffs.client.results.json_values import Plain
from tariffs.client.results.law import Parameter, parameters_html


@dataclass(frozen=True, slots=True)
class Problem(Plain):
    """Problem of a scenario file; `line` and `column` count from 1, None if not known."""

    path: str
    line: int | None
    column: int | None
    reason: str
    message: str
    fix: str
    severity: str


@dataclass(frozen=True, slots=True, repr=False)
class CheckResult(Plain):
    """Problems of a scenario; `ok` if there are only warnings, and then its `parameters`."""

    ok: bool
    problems: tuple[Problem, ...]
    parameters: tuple[Parameter, ...] = ()
    _left_out = "parameters"

    def __repr__(self) -> str:
        problems = (f"{_place(one)}{one.severity}: {one.message} {one.fix}".rstrip() for one in self.problems)
        return "\n".join(["ok" if self.ok else "cannot be run", *problems])

    def _repr_html_(self) -> str:
        rows = [[one.severity, _place(one).rstrip(": "), one.message, one.fix] for one in self.problems]
        return html.block(
            html.heading("ok" if self.ok else "cannot be run"),
            html.table(("severity", "line", "problem", "fix"), 0, rows) if rows else "",
            parameters_html(self.parameters),
        )


@dataclass(frozen=True, slots=True)
class Difference(Plain):
    """Difference of the law under two scenarios.

    Attributes:
        kind: measure, rule, switch, claim, quantity or assumption.
        id: its id.
        authority: authority of a measure.
        direction: direction of a measure.
        start: first instant of the difference; empty if from the beginning.
        end: end of the difference; empty if it has none.
        first: value under the first scenario.
        second: value under the second scenario.
        text: the difference in one sentence.
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


def _place(problem: Problem) -> str:
    return "" if problem.line is None else f"line {problem.line}, column {problem.column or 1}: "
