"""Read input that is nearly right: grouped numbers, names of countries, shortened claims; print the version."""

from __future__ import annotations

import json
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest
from tariffs.client.cli.__main__ import run

TOY = ("duty", "9503.00.0073", "--origin", "CN", "--date", "2025-05-14", "--local")


def test_the_version_is_printed_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"tariffs {version('tariffs')}\n"


@pytest.mark.parametrize("value", ["10,000", "$10,000", "10,000.00", "$10000"])
def test_a_grouped_value_is_a_number(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*TOY, "--value", value, "--freight", "1,250", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["landed"]["customs_value"], answer["landed"]["freight"]) == ("10000.00", "1250.00")


@pytest.mark.parametrize("value", ["10,00", "1,0000", "10.000,00", "ten", "1,,000"])
def test_what_is_no_group_of_thousands_is_refused(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*TOY, "--value", value, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["reason"] == "CUSTOMS_VALUE_INVALID"


MEANT = {
    "UK": "GB",
    "CHN": "CN",
    "USA": "US",
    "chn": "CN",
    "China": "CN",
    "Viet Nam": "VN",
    "Vietnam": "VN",
    "South Korea": "KR",
    "DOM": "DO",
    "England": "GB",
    "Czechia": "CZ",
    "Ivory Coast": "CI",
}


@pytest.mark.parametrize(("text", "code"), MEANT.items())
def test_an_origin_is_read_by_its_name(text: str, code: str) -> None:
    client = Client.local()
    for more in ({}, {"direction": "export"}):
        quotes = [client.duty("1201.90", one, "2025-11-24", 100, **more) for one in (text, code)]  # type: ignore[arg-type]
        assert quotes[0].layers == quotes[1].layers
        assert [note.message for note in quotes[0].notes if note.reason == "ORIGIN_NAMED"]


def test_options_take_names_of_countries(capsys: pytest.CaptureFixture[str]) -> None:
    line = ("duty", "1201.90", "--direction", "export", "--date", "2027-01-11", "--value", "100", "--json")
    answers = []
    for origin, to in (("US", "CN"), ("United States", "China")):
        assert run([*line, "--origin", origin, "--to", to, "--local"]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0]["assessed"] == answers[1]["assessed"]
    assert answers[0]["layers"] == answers[1]["layers"]
    assert run(["law", "changes", "--start", "2025-11-01", "--end", "2025-11-20", "--origin", "korea"]) == 1
    assert "KP (North Korea) or KR (South Korea)" in capsys.readouterr().err


def test_a_misspelt_country_is_refused_with_its_code() -> None:
    with pytest.raises(InvalidRequest) as caught:
        Client.local().duty("1201.90", "Germny", "2025-11-24", 100)
    assert caught.value.reason == "ORIGIN_UNKNOWN"
    assert caught.value.fix.startswith("Did you mean DE (Germany)")


def test_an_origin_that_is_like_none_has_no_guess() -> None:
    with pytest.raises(InvalidRequest) as caught:
        Client.local().duty("1201.90", "qqqqqq", "2025-11-24", 100)
    assert "Did you mean" not in caught.value.fix


def test_rows_of_a_table_are_read_by_name_too() -> None:
    origins = ["CN", "UK", "Germny", "congo"]
    frame = pl.DataFrame(
        {"hts": ["9503000073"] * 4, "origin": origins, "customs_value": [1.0] * 4, "line_id": list("abcd")}
    )
    found = Client.local().impact(frame, on="2025-05-14", response="none")
    assert found.refused.select("row", "reason").rows() == [(2, "ORIGIN_UNKNOWN"), (3, "ORIGIN_AMBIGUOUS")]
    messages = found.refused["message"].to_list()
    assert "DE (Germany)" in messages[0]
    assert "CG (Congo, Republic)" in messages[1]
    assert sorted(found.groups["origin"]) == ["CN", "GB"]


@pytest.mark.parametrize(
    ("claim", "meant"),
    [("usmca", "usmca_share"), ("steel", "steel_share"), ("civil_aircraft", "civil_aircraft_share")],
)
def test_a_claim_cut_short_is_refused_with_its_name(claim: str, meant: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Client.local().duty("9503.00.0073", "CN", "2025-05-14", 100, {claim: 1})
    assert caught.value.reason == "CLAIM_UNKNOWN"
    assert caught.value.fix.startswith(f"Did you mean {meant}")


def test_money_as_a_number_stays_exact() -> None:
    quote = Client.local().duty("9503.00.0073", "CN", "2025-05-14", Decimal("1000.00"))
    assert quote.landed["customs_value"] == 1000


@pytest.mark.parametrize("words", [("impact", "--on"), ("timeline", "--end", "2026-11-21", "--start")])
def test_a_note_that_several_scenarios_have_is_shown_once(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "steel.csv"
    path.write_text("hts,origin,customs_value\n7208101500,CN,1000\n8541430080,VN,1000\n")
    chosen = ["-s", "base", "-s", "truce-lapses", "-s", "truce-extended", "--response", "none", "--local"]
    command, *options = words
    assert run([command, str(path), *chosen, *options, "2026-11-20"]) == 0
    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note ")]
    assert shown
    assert len(shown) == len(set(shown))


@pytest.mark.parametrize("words", [("duty", "--entries"), ("refund",)])
def test_repairs_of_rows_are_told_once_per_kind_with_their_count(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "entries.csv"
    rows = ["901210020,BR,100,2025-12-01", "901210020,BR,200,12/25/2025", "0901.21.00,BR,100,2025-12-01"]
    path.write_text("\n".join(["hts,origin,customs_value,entry_date", *rows]) + "\n")
    assert run([*words, str(path), "--local"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("note HTS_CODE_REPAIRED: 2 times, first: ") == said.count("note HTS_CODE_REPAIRED") == 1
    assert said.count("note DATE_REPAIRED: entry_date: ") == said.count("note DATE_REPAIRED") == 1
    assert said.count("note COARSE_CODE: 0901.21.00 covers") == said.count("note COARSE_CODE") == 1


def test_a_note_on_the_whole_table_is_not_told_of_its_lines_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "entries.csv"
    path.write_text("hts,origin,customs_value,entry_date\n0901210020,BR,100,2026-11-24\n")
    assert run(["duty", "--entries", str(path), "--local"]) == 0
    said = capsys.readouterr().out
    assert said.count("LAW_READ_TO") == 1
    assert "1 entry, 1 line: " in said


def test_a_landed_cost_of_nothing_has_no_parts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*TOY, "--value", "0"]) == 0
    said = capsys.readouterr().out
    assert "landed 0.00" in said
    assert "landed is" not in said
