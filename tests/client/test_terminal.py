"""Test the tables that the command line prints: units, days, refused rows, notes once, brief, sorted, fitted."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console
from rich.table import Column

from tariffs.client import Client
from tariffs.client.cli import options
from tariffs.client.cli.__main__ import run
from tariffs.client.cli.render.table import right, text_table
from tariffs.client.results.amounts import unit_for
from tariffs.client.results.columns import labels
from tariffs.client.results.refused import refused_words
from tests.client.conftest import Cli, scenario_text

LINE = "duty 8471.30.0100 --origin CN --date 2025-05-20 --value 12500 --local"
TOYS = ("9503000073", "CN", "10000")
COLUMNS = ("hts", "origin", "customs_value")
TWO_LINES = (("9503000073", "CN", "60"), ("9503000073", "MX", "40"))
DAY = "--on 2025-12-01 --baseline 2025-01-01"
PERIOD = "--response none --start 2026-11-01 --end 2026-11-30 --wide"


def table(*rows: tuple[str, ...], columns: tuple[str, ...] = COLUMNS) -> None:
    Path("table.csv").write_text("\n".join(",".join(row) for row in (columns, *rows)) + "\n")


def dated(*days: str) -> None:
    table(*((*TOYS, day) for day in days), columns=(*COLUMNS, "entry_date"))


def printed(cli: Cli, words: str, code: int = 0) -> str:
    return cli.out(f"{words} --local", code)


def first_words(text: str) -> list[str]:
    return [line.split()[0] for line in text.splitlines() if line.strip()]


def test_a_row_with_three_problems_is_one_refused_row(cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    table(TOYS, ("9999999999", "XX", "abc"), ("9503000073", "XX", "1"))
    words = "impact table.csv --response none --local"
    refused = cli.json(words, 1)["refused"]
    assert (refused["count"], len(refused["rows"])) == (2, 4)
    assert run(words.split()) == 1
    said = capsys.readouterr()
    assert "2 rows were refused, for 4 problems:" in said.out
    assert said.err == "2 rows were refused, for 4 problems; see table-refused.csv.\n"
    assert refused_words(pl.DataFrame({"row": [7]})) == "1 row was refused"


@pytest.mark.parametrize(
    ("days", "title", "note"),
    [
        (
            ("2025-07-01", "2025-05-01"),
            "on the entry dates of its lines, 2025-05-01 to 2025-07-01",
            "so none is computed on 2026-11-24",
        ),
        (
            ("2025-07-01", ""),
            "on the entry dates of its lines, 2025-07-01 to 2025-07-01, and on 2026-11-24 for lines without one",
            "1 of 2 lines have their own entry date (2025-07-01 to 2025-07-01); the others enter on 2026-11-24.",
        ),
        ((), "on 2026-11-24", ""),
    ],
)
def test_a_table_is_titled_with_its_days(days: tuple[str, ...], title: str, note: str, cli: Cli) -> None:
    dated(*days) if days else table(TOYS)
    words = "impact table.csv --response none --on 2026-11-24"
    said = printed(cli, words)
    assert said.startswith(f"{title}\n")
    assert note in " ".join(said.split())
    assert ("ENTRY_DATE_BEATS_ON" in said) == bool(days)
    details = json.loads(printed(cli, f"{words} --json"))["provenance"]["details"]
    lines = sum(map(bool, days))
    found = {"first": min(filter(None, days), default=""), "last": max(days, default=""), "lines": lines}
    assert details.get("line_dates") == ({**found, "of": len(days)} if days else None)


def test_a_timeline_of_a_small_table_is_in_dollars_by_all_its_keys(cli: Cli) -> None:
    table((*TOYS, "0"), ("8708508900", "JP", "1000", "0"), columns=(*COLUMNS, "fta_share"))
    said = printed(cli, f"timeline table.csv {PERIOD} --by origin,authority")
    rows = [line.split() for line in said.splitlines()]
    # 12.5 percent of 10,000, the forced-labor duty on toys of China.
    assert ["CN", "s301.fl", "1,250.00", "1,250.00", "12.50"] in rows
    # A floor of 15 percent: the ordinary 2.5, and 12.5 over it.
    assert ["JP", "s232.auto", "125.00", "125.00", "12.50"] in rows
    assert ["JP", "base", "25.00", "25.00", "2.50"] in rows
    assert ["average", "1,400.00", "1,400.00", "12.73"] in rows
    assert ["USD", "at", "the", "table's", "yearly", "values;", "rates", "in", "percent"] in rows


def test_what_a_change_does_to_a_small_table_is_in_dollars(cli: Cli) -> None:
    table(TOYS)
    raised = "op: set_rate, measures: {id: fl301}, from: 2026-11-01, rate: 20%"
    Path("raised.yaml").write_text(scenario_text(raised, name="raised"))
    words = "impact table.csv --response none --on 2026-11-24 -s base -s raised.yaml --attribute --wide"
    said = printed(cli, words)
    assert "set_rate fl301 to 20% from 2026-11-01  750.00" in said
    assert "against base, USD, shapley split" in said


@pytest.mark.parametrize(
    ("largest", "shown", "words"),
    [
        (0.0, "0.00", "USD"),
        (99_999_999.0, "99,999,999.00", "USD"),
        (1e8, "100.00", "million USD"),
        (-2.5e9, "-2,500.00", "million USD"),
        (1e11, "100.00", "billion USD"),
        (None, "-", "USD"),
    ],
)
def test_the_unit_of_a_table_fits_its_largest_amount(largest: float | None, shown: str, words: str) -> None:
    unit = unit_for([1.0, None, largest])
    assert (unit.cell(largest), unit.name) == (shown, words)


def test_sectors_have_their_names_in_tables_and_other_codes_stand_alone() -> None:
    row = {"sector": "111CA", "origin": "CN", "hts2": None, "cn": 0.1 + 0.2}
    assert labels(row, row) == ["111CA Farm products", "CN", "-", "0.3"]
    assert labels({"sector": "nothing"}, ["sector"]) == ["nothing"]


@pytest.mark.parametrize(
    "words",
    [
        f"impact table.csv {DAY}",
        "timeline table.csv --start 2025-12-01 --end 2025-12-02 --baseline 2025-01-01",
    ],
)
def test_a_table_names_its_response_and_claims(words: str, cli: Cli) -> None:
    table(*TWO_LINES)
    text = printed(cli, f"{words} --set low --wide")
    assert "response: armington, horizon path, set low" in text
    assert "USMCA claims where undeclared: 2025h2 (usmca_basis)" in text
    header = [line.split() for line in text[: text.index("duty after")].splitlines()]
    # Above each column is its block: static, or the response with its horizon and set.
    assert ["armington", "armington"] in header
    assert ["path", "path"] in header
    assert any(line[:1] == ["static"] and "low" in line for line in header)


def test_another_period_of_claims_is_named_and_none_where_all_are_declared(client: Client, cli: Cli) -> None:
    words = f"impact table.csv {DAY} --switch usmca_basis=2024 --response none --wide"
    table(*TWO_LINES)
    text = printed(cli, words)
    assert "USMCA claims where undeclared: 2024" in text
    assert "response: none" in text
    found = client.impact("table.csv", on="2025-12-01", baseline="2025-01-01")
    for shown in (repr(found), found._repr_html_()):
        assert "response: armington, horizon path, set central" in shown
        assert "USMCA claims where undeclared: 2025h2" in shown
    table(*((*row, "1") for row in TWO_LINES), columns=(*COLUMNS, "usmca_share"))
    assert "USMCA claims" not in printed(cli, words)


def test_a_table_with_draws_has_the_ends_of_duty_after_the_response(client: Client, cli: Cli) -> None:
    table(*TWO_LINES)
    words = f"impact table.csv {DAY} -s base -s no-kuala-lumpur-deal --draws 16 --wide"
    text = printed(cli, words)
    assert "rates in percent; first: base" in text
    # Above value and duty after the response, and the two ends: the set that is taken where none is named.
    assert ["static"] * 5 + ["central"] * 4 + ["static"] in [line.split() for line in text.splitlines()]
    ranges = client.impact("table.csv", on="2025-12-01", baseline="2025-01-01", draws=16).ranges
    assert ranges is not None
    first = text[: text.index("no-kuala-lumpur-deal on")].splitlines()
    for start, ends in (("CN", ranges.groups.filter(origin="CN")), ("total", ranges.total)):
        row = ends.filter(column="duty_after").row(0, named=True)
        cells = next(line.split() for line in first if line.startswith(f"{start} "))
        assert cells[-4:-1] == [f"{row[name]:,.1f}" for name in ("central", "p5", "p95")]


@pytest.mark.parametrize("words", ["impact table.csv --on", "timeline table.csv --end 2026-11-21 --start"])
def test_a_note_that_several_scenarios_have_is_shown_once(words: str, cli: Cli) -> None:
    table(("7208101500", "CN", "1000"), ("8541430080", "VN", "1000"))
    said = printed(cli, f"{words} 2026-11-20 -s base -s truce-lapses -s truce-extended --response none")
    shown = [line for line in said.splitlines() if line.startswith("note ")]
    assert shown
    assert len(shown) == len(set(shown))


@pytest.mark.parametrize("words", ["duty --entries table.csv", "refund table.csv"])
def test_repairs_of_rows_are_told_once_per_kind_with_their_count(words: str, cli: Cli) -> None:
    rows = [("901210020", "BR", "100", "2025-12-01"), ("901210020", "BR", "200", "12/25/2025")]
    table(*rows, ("0901.21.00", "BR", "100", "2026-11-24"), columns=(*COLUMNS, "entry_date"))
    said = " ".join(printed(cli, words).split())
    assert said.count("note HTS_CODE_REPAIRED: 2 times, first: ") == said.count("note HTS_CODE_REPAIRED") == 1
    assert said.count("note DATE_REPAIRED: entry_date: ") == said.count("note DATE_REPAIRED") == 1
    assert said.count("note COARSE_CODE: 0901.21.00 covers") == said.count("note COARSE_CODE") == 1
    assert said.count("LAW_READ_TO") == 1


def test_a_wide_table_is_printed_in_blocks_that_fit(capsys: pytest.CaptureFixture[str]) -> None:
    numbers = [f"{value:,}" for value in range(1_000_000, 1_000_012)]
    heads = right(*(f"column {place}" for place in range(12)))
    console = Console(width=60, file=sys.stdout, highlight=False)
    console.print(text_table(["origin", *heads], [["CN", *numbers]], "USD"))
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 60
    assert [number for number in numbers if number not in text] == []
    assert "…" not in text
    assert first_words(text).count("CN") > 1
    console.print(text_table(["origin", *right("duty")], [["CN", "1"]], "million USD of 2024"))
    assert first_words(capsys.readouterr().out) == ["million", "origin", "CN"]
    # A number of the row before its words, and titles that are wider than the numbers below.
    row = ["7", "ABC-1-2-3-4", "12,345,678,901.00", "1,234,567,890.00", "12,34"]
    titles = [*right("row"), Column("entry id"), *right("entered value", "duty assessed", "fee")]
    console.print(text_table(titles, [row]))
    assert re.findall(r"7 +ABC-1-2-3-4 .* (\S+)\n", capsys.readouterr().out) == row[3:]


def test_groups_are_sorted_and_cut_as_asked_and_brief_results_count_their_notes(cli: Cli) -> None:
    values = {"CN": "100", "VN": "5000", "MX": "300", "DE": "400", "JP": "200"}
    table(*(("9503.00.0073", origin, value) for origin, value in values.items()))
    words = f"impact table.csv {DAY} --response none --wide"
    for more, origins in (("--top 2", ["VN", "DE"]), ("--top 1 --sort effective_rate", ["MX"])):
        said = printed(cli, f"{words} {more}")
        assert [word for word in first_words(said) if word in values] == origins
        assert f"and {5 - len(origins)} more" in said
    assert "duty" in cli.err(f"{words} --sort dutty --local", 2)
    brief = printed(cli, f"{words} --brief")
    assert "note " not in brief
    assert re.search(r"\d+ notes?, left out by --brief", brief)
    assert "planning estimate" in brief


def test_the_brief_form_of_a_quote_has_the_numbers_alone(cli: Cli) -> None:
    whole, brief = (cli.out(LINE + more) for more in ("", " --brief"))
    assert "assumed" in whole
    assert "assumed" not in brief
    assert "assessed 2,500.00" in brief
    assert len(brief.splitlines()) <= 6
    nothing = printed(cli, "duty 9503.00.0073 --origin CN --date 2025-05-14 --value 0")
    assert "landed 0.00" in nothing
    assert "landed is" not in nothing


def test_refunds_are_written_and_cut_as_asked(cli: Cli) -> None:
    rows = [("9503.00.0073", "CN", value, one, "2025-06-02") for one, value in zip("abc", "123", strict=True)]
    table(*rows, columns=(*COLUMNS, "entry_id", "entry_date"))
    shown = printed(cli, "refund table.csv --top 1 -o refunds.csv --brief")
    assert first_words(shown)[1] == "c"
    assert "and 2 more entries" in shown
    assert pl.read_csv("refunds.csv").height == 3


@pytest.mark.parametrize(
    ("shell", "variables", "word"),
    [
        ("bash", {"COMP_WORDS": "tariffs impact --sor", "COMP_CWORD": "2"}, "--sort"),
        ("bash", {"COMP_WORDS": "tariffs ref", "COMP_CWORD": "1"}, "refund"),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "tariffs duty --wh"}, "--why"),
    ],
)
def test_shells_complete_words(cli: Cli, shell: str, variables: dict[str, str], word: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tariffs.client.cli"],
        env={**os.environ, **variables, "_TARIFFS_COMPLETE": f"complete_{shell}"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert word in done.stdout


@pytest.mark.parametrize(("variable", "coloured"), [("NO_COLOR", False), ("FORCE_COLOR", True)])
def test_states_are_coloured_unless_the_reader_wants_none(
    variable: str, coloured: bool, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv(variable, "1")
    assert ("\x1b[32m" in cli.out(LINE)) is coloured


@pytest.mark.parametrize(("seconds", "terminal", "said"), [(0, True, 1), (60, True, 0), (0, False, 0)])
def test_a_long_call_without_a_server_says_once_what_keeps_it_warm(
    seconds: int, terminal: bool, said: int, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(options, "_LONG_SECONDS", seconds)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    with options.connected(None, local=True):
        pass
    assert capsys.readouterr().err.count("`tariffs serve`") == said


def test_the_version_is_printed_and_nothing_else(cli: Cli) -> None:
    assert cli.out(["--version"]) == f"tariffs {version('tariffs')}\n"
