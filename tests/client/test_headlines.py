"""Printed tables name the model, horizon, set and claim shares that their figures belong to."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tariffs.client import Client
from tariffs.client.cli.__main__ import run

GOODS = pl.DataFrame(
    {"hts": ["9503000073", "9503000073"], "origin": ["CN", "MX"], "customs_value": [60.0, 40.0]}
)
DAY = ["--on", "2025-12-01", "--baseline", "2025-01-01", "--local"]
PERIOD = ["--start", "2025-12-01", "--end", "2025-12-02", "--baseline", "2025-01-01", "--local"]


def printed(words: list[str], goods: pl.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    path = tmp_path / "goods.csv"
    goods.write_csv(path)
    assert run([words[0], str(path), *words[1:], "--wide"]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("words", [["impact", *DAY], ["timeline", *PERIOD]])
def test_a_table_names_its_response_and_claims(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed([*words, "--set", "low"], GOODS, tmp_path, capsys)
    assert "response: armington, horizon path, set low" in text
    assert "USMCA claims where undeclared: 2025h2 (usmca_basis)" in text
    header = [line.split() for line in text[: text.index("duty after")].splitlines()]
    # Above each column is its block: static, or the response with its horizon and set.
    assert ["armington", "armington"] in header
    assert ["path", "path"] in header
    assert any(line[:1] == ["static"] and "low" in line for line in header)


def test_a_table_whose_lines_declare_their_claims_names_no_period(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    declared = GOODS.with_columns(usmca_share=pl.lit(1.0))
    text = printed(["impact", *DAY, "--switch", "usmca_basis=2024"], declared, tmp_path, capsys)
    assert "USMCA claims" not in text


def test_another_period_of_claims_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(["impact", *DAY, "--switch", "usmca_basis=2024"], GOODS, tmp_path, capsys)
    assert "USMCA claims where undeclared: 2024" in text


def test_a_static_table_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "response: none" in printed(["impact", *DAY, "--response", "none"], GOODS, tmp_path, capsys)


def test_a_result_in_a_notebook_names_its_response() -> None:
    with Client.local() as client:
        found = client.impact(GOODS, on="2025-12-01", baseline="2025-01-01")
    for text in (repr(found), found._repr_html_()):
        assert "response: armington, horizon path, set central" in text
        assert "USMCA claims where undeclared: 2025h2" in text


def test_a_table_with_draws_has_the_ends_of_duty_after_the_response(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["impact", *DAY, "-s", "base", "-s", "no-kuala-lumpur-deal", "--draws", "16"]
    text = printed(words, GOODS, tmp_path, capsys)
    assert "rates in percent; first: base" in text
    # Above value and duty after the response, and the two ends: the set that is taken where none is named.
    assert ["static"] * 5 + ["central"] * 4 + ["static"] in [line.split() for line in text.splitlines()]
    with Client.local() as client:
        found = client.impact(GOODS, on="2025-12-01", baseline="2025-01-01", draws=16)
    assert found.ranges is not None
    first = text[: text.index("no-kuala-lumpur-deal on")].splitlines()
    for start, ends in (("CN", found.ranges.groups.filter(origin="CN")), ("total", found.ranges.total)):
        row = ends.filter(column="duty_after").row(0, named=True)
        cells = next(line.split() for line in first if line.startswith(f"{start} "))
        assert cells[-4:-1] == [f"{row[name]:,.1f}" for name in ("central", "p5", "p95")]
