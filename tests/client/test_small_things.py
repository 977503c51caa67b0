"""Input that is nearly right is read or told what was meant: grouped numbers, names of countries, shortened claims."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest
from tariffs.client.cli.__main__ import run
from tests.client.conftest import Cli

MEANT = {
    "UK": "GB", "CHN": "CN", "USA": "US", "chn": "CN", "China": "CN", "Viet Nam": "VN", "Vietnam": "VN",
    "South Korea": "KR", "DOM": "DO", "England": "GB", "Czechia": "CZ", "Ivory Coast": "CI",
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "code"),
    [
        *((value, 0) for value in ("10,000", "$10,000", "10,000.00", "$10000")),
        *((value, 1) for value in ("10,00", "1,0000", "10.000,00", "ten", "1,,000")),
    ],
)
def test_a_grouped_value_is_a_number(value: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    line = [
        "duty",
        "9503.00.0073",
        "--origin",
        "CN",
        "--value",
        value,
        "--freight",
        "1,250",
        "--local",
        "--json",
    ]
    assert run(line) == code
    answer = json.loads(capsys.readouterr().out)
    if code:
        assert answer["error"]["reason"] == "CUSTOMS_VALUE_INVALID"
    else:
        assert (answer["landed"]["customs_value"], answer["landed"]["freight"]) == ("10000.00", "1250.00")


@pytest.mark.parametrize(("text", "code"), MEANT.items())
def test_an_origin_is_read_by_its_name(client: Client, text: str, code: str) -> None:
    options: tuple[dict[str, Any], ...] = ({}, {"direction": "export"})
    for more in options:
        named, coded = (client.duty("1201.90", one, "2025-11-24", 100, **more) for one in (text, code))
        assert named.layers == coded.layers
        assert [note.message for note in named.notes if note.reason == "ORIGIN_NAMED"]


def test_options_take_names_of_countries(cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    line = ("duty", "1201.90", "--direction", "export", "--date", "2027-01-11", "--value", "100", "--json")
    answers = []
    for origin, to in (("US", "CN"), ("United States", "China")):
        answers.append(cli.json([*line, "--origin", origin, "--to", to, "--local"]))
    for name in ("assessed", "layers"):
        assert answers[0][name] == answers[1][name]
    assert run(["law", "changes", "--start", "2025-11-01", "--end", "2025-11-20", "--origin", "korea"]) == 1
    assert "KP (North Korea) or KR (South Korea)" in capsys.readouterr().err


def test_rows_of_a_table_are_read_by_name_too(client: Client) -> None:
    origins = ["CN", "UK", "Germny", "congo", "qqqqqq"]
    size = len(origins)
    frame = pl.DataFrame({"hts": ["9503000073"] * size, "origin": origins, "customs_value": [1.0] * size})
    found = client.impact(frame, on="2025-05-14", response="none")
    reasons = [(2, "ORIGIN_UNKNOWN"), (3, "ORIGIN_AMBIGUOUS"), (4, "ORIGIN_UNKNOWN")]
    assert found.refused.select("row", "reason").rows() == reasons
    messages = found.refused["message"].to_list()
    assert "Did you mean DE (Germany)" in messages[0]
    assert "CG (Congo, Republic)" in messages[1]
    assert "Did you mean" not in messages[2]
    assert sorted(found.groups["origin"]) == ["CN", "GB"]


@pytest.mark.parametrize(
    ("claim", "meant"),
    [("usmca", "usmca_share"), ("steel", "steel_share"), ("civil_aircraft", "civil_aircraft_share")],
)
def test_a_claim_cut_short_is_refused_with_its_name(client: Client, claim: str, meant: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        client.duty("9503.00.0073", "CN", "2025-05-14", 100, {claim: 1})
    assert caught.value.reason == "CLAIM_UNKNOWN"
    assert caught.value.fix.startswith(f"Did you mean {meant}")
