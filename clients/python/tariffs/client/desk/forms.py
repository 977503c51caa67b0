"""Build the forms of the page; each gives its values by name when it is submitted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

import marimo as mo

from tariffs.client.client import Client
from tariffs.client.desk.builder import KEYS
from tariffs.client.results.law import ScenarioInfo
from tariffs.run_spec.option import IMPACT, SWEEP, TIMELINE, Kind, RunOption
from tariffs.run_spec.spec import OPTIONS, taken

YOUR_SCENARIO = "your scenario"
"""Choice that stands for the text of the builder."""
PARTS = ("Quote", "Scenario", "Your table", "Compare", "Timeline", "Sweep")
"""Parts of the page."""
_GROUPS = ("origin", "authority", "hts2", "hts4", "hts6", "month")
_MAPPINGS = ("", "ace", "cbp7501")
_GRID = "display:grid;grid-template-columns:repeat(auto-fit,minmax(16em,1fr));gap:0.8em 1.2em;align-items:end"
# Options in sight; the others of a verb are folded.
_FIRST = ("on", "response", "horizon", "parameters")
# Given with the table, for the whole page, or of no use on it.
_LEFT_OUT = ("baseline", "date_format", "law_version", "include_lines")
_WEEKS_AHEAD = 10
_LARGEST_UPLOAD = 200_000_000


@dataclass(frozen=True, slots=True)
class Choices:
    """Names that the forms offer, from the law and library of the client.

    Attributes:
        law_version: version of the law.
        as_of: its as-of day, the default of every day.
        ahead: a day some weeks later, the default of comparisons.
        scenarios: library scenarios.
        measures: titles of the measures on imports by id.
    """

    law_version: str
    as_of: str
    ahead: str
    scenarios: tuple[ScenarioInfo, ...]
    measures: Mapping[str, str]

    @classmethod
    def of(cls, client: Client) -> Choices:
        """Ask the client; three calls."""
        measures = {
            one.id: f"{one.id}: {one.title}"
            for one in client.measures()
            if one.modelled and not one.announced
        }
        law = client.law()
        ahead = date.fromisoformat(law.as_of[:10]) + timedelta(weeks=_WEEKS_AHEAD)
        return cls(law.version, law.as_of, ahead.isoformat(), client.scenarios(), measures)

    def names(self) -> list[str]:
        """Names of the scenarios, the builder's first."""
        return [YOUR_SCENARIO, *(one.id for one in self.scenarios)]


def quote(choices: Choices) -> Any:
    """Build the form of one entry line."""
    return _form(
        "Compute duty",
        hts=_text("HTS code", "9503.00.0073"),
        origin=_text("Country of origin", "CN"),
        value=_text("Customs value, USD", "10000"),
        entry_date=_text("Day of entry", choices.as_of),
        quantity=_text("Quantity (where a duty needs it)"),
        unit=_text("Unit"),
        mode=mo.ui.dropdown(
            ["", "ocean", "air", "land"], value="", label="Mode of transport", full_width=True
        ),
        claims=_text("Facts, such as usmca_share=1"),
        scenario=mo.ui.dropdown(
            choices.names(), value="base", label="Law or scenario", searchable=True, full_width=True
        ),
    )


def parts(choose: Callable[[str], None]) -> Any:
    """Build a button for each part of the page; marimo's tabs jump to the last one as the keyboard reaches them."""
    return mo.ui.array(
        [mo.ui.button(label=name, on_click=partial(_name, name), on_change=choose) for name in PARTS]
    )


def _name(name: str, _: object) -> str:
    return name


def library(choices: Choices, load: Callable[[Mapping[str, Any]], None]) -> Any:
    """Build the form that puts a scenario of the library into the builder."""
    named = {f"{one.id}: {one.title}": one.id for one in choices.scenarios}
    first = next(iter(named))
    name = mo.ui.dropdown(named, value=first, label="Begin with a scenario of the library", full_width=True)
    return _grid(name=name).form(submit_button_label="Load", on_change=load)


def scenario_text(text: str, write: Callable[[str], None]) -> Any:
    """Build the field of the text of the scenario."""
    label = f"Scenario in YAML; the other parts call it *{YOUR_SCENARIO}*"
    return mo.ui.text_area(text, rows=14, label=label, on_change=write, full_width=True)


def change(choices: Choices, add: Callable[[Mapping[str, Any]], None]) -> Any:
    """Build the form of one change, which the builder appends to the scenario."""
    named = {title: name for name, title in choices.measures.items()}
    fields = _grid(
        op=mo.ui.dropdown(list(KEYS), value="set_rate", label="Change", full_width=True),
        measure=mo.ui.dropdown(
            named, value=choices.measures.get("fl301"), label="Measure", searchable=True, full_width=True
        ),
        origins=_text("Only these countries", "CN"),
        start=_text("From, or at", choices.as_of),
        until=_text("Until"),
        rate=_text("Rate", "20%"),
    )
    return fields.form(submit_button_label="Add change", on_change=add)


def compare(choices: Choices) -> Any:
    """Build the form of an impact."""
    return _run_form(
        "Compute comparison",
        IMPACT,
        {"on": choices.ahead},
        scenarios=_scenarios(choices, ["base", "forced-labor-20-on-china"]),
        by=_by(),
        question=_text("Question, the title of the report"),
    )


def timeline(choices: Choices) -> Any:
    """Build the form of a timeline."""
    return _run_form(
        "Compute timeline",
        TIMELINE,
        {"response": "none"},
        scenarios=_scenarios(choices, ["base"]),
        start=_text("First day", choices.as_of),
        end=_text("Last day", choices.ahead),
        by=_by(),
    )


def sweep(choices: Choices) -> Any:
    """Build the form of a sweep over one parameter."""
    return _run_form(
        "Compute sweep",
        SWEEP,
        {"on": choices.ahead},
        scenario=mo.ui.dropdown(
            choices.names(),
            value="rates-by-country",
            label="Scenario with parameters",
            searchable=True,
            full_width=True,
        ),
        parameter=_text("Parameter", "cn"),
        values=_text("Values: low:high:step, or a list", "0%:50%:10%"),
        by=_by(),
    )


def _run_form(button: str, verb: str, chosen: Mapping[str, str], **fields: Any) -> Any:
    """Build the form of a run: fields of its own, the first options, and below them all others of its verb.

    Args:
        button: words of the button.
        verb: verb of the run.
        chosen: values of options that the form begins with in the place of their defaults.
        **fields: fields of its own.
    """
    options = {
        one.name: run_field(one, chosen.get(one.name, one.default))
        for one in taken(verb)
        if one.name not in {*fields, *_LEFT_OUT}
    }
    first = {name: options.pop(name) for name in _FIRST if name in options}
    more = f"<details><summary>More options</summary>{_cells(options)}</details>"
    html = mo.Html(_cells({**fields, **first}) + more)
    return html.batch(**fields, **first, **options).form(submit_button_label=button)


def run_field(one: RunOption, value: Any) -> Any:
    """Build the field of an option of runs with the value that it begins with."""
    if one.choices:
        names = list(dict.fromkeys([one.default, *one.choices]))
        return mo.ui.dropdown(names, value=value, label=one.title, full_width=True)
    if one.kind is Kind.FLAG:
        return mo.ui.checkbox(value=value, label=one.title)
    if one.kind in {Kind.NUMBER, Kind.WHOLE}:
        return mo.ui.number(value=value, label=one.title, full_width=True)
    return _text(one.title, "" if one.kind in {Kind.PAIRS, Kind.VALUES} else value)


def table_file() -> Any:
    """Build the field in which a table is uploaded."""
    return mo.ui.file(
        filetypes=[".csv", ".tsv", ".txt", ".xlsx", ".parquet", ".arrow"],
        kind="area",
        max_size=_LARGEST_UPLOAD,
        label="A table: CSV, Excel, Parquet or Arrow, with hts, origin and customs_value",
    )


def table_options() -> Any:
    """Build the fields that say how the table is read."""
    return _grid(
        mapping=mo.ui.dropdown(list(_MAPPINGS), value="", label="Names of its columns", full_width=True),
        date_format=run_field(OPTIONS["date_format"], ""),
        baseline=run_field(OPTIONS["baseline"], "2025-01-01"),
    )


def _by() -> Any:
    return mo.ui.dropdown(list(_GROUPS), value="origin", label="Groups by", full_width=True)


def _scenarios(choices: Choices, chosen: Sequence[str]) -> Any:
    known = choices.names()
    value = [name for name in chosen if name in known]
    return mo.ui.multiselect(
        known, value=value, label="Scenarios, the first is compared with", full_width=True
    )


def _text(label: str, value: str = "") -> Any:
    return mo.ui.text(value=value, label=label, full_width=True)


def _form(button: str, **fields: Any) -> Any:
    return _grid(**fields).form(submit_button_label=button)


def _grid(**fields: Any) -> Any:
    return mo.Html(_cells(fields)).batch(**fields)


def _cells(names: Iterable[str]) -> str:
    """Write the places of fields, filled in by their names."""
    cells = "".join(f"<div>{{{name}}}</div>" for name in names)
    return f'<div style="{_GRID}">{cells}</div>'
