"""`tariffs data import` writes tables that the other commands take."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest, import_table
from tariffs.client.cli.__main__ import run
from tests.client.test_column_mapping import ACE


def test_imports_of_the_census_bureau_are_run_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = tmp_path / "census.csv", tmp_path / "imports.parquet"
    source.write_text(
        "I_COMMODITY,CTY_CODE,CON_VAL_MO\n9503000073,5700,1000\n9503000073,5520,500\n95,5700,1500\n"
    )
    assert run(["data", "import", "census", str(source), "-o", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "2 rows, 1,500 USD" in printed
    assert "Left out: rows of codes of fewer than 10 digits, which sum others (1)" in printed
    result = Client.local().impact(out, on="2026-11-20", response="none")
    assert sorted(result.groups["origin"]) == ["CN", "VN"]
    assert result.refused.is_empty()


def test_broker_reports_are_joined(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path / "may.csv", tmp_path / "june.csv"]
    for path in paths:
        path.write_text(ACE)
    out = tmp_path / "entries.parquet"
    words = ["data", "import", "entries", *map(str, paths), "--mapping", "ace", "-o", str(out), "--json"]
    assert run(words) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 8
    assert pl.read_parquet(out)["hts"].to_list()[:2] == ["3923900080", "9503000073"]
    paths[1].write_text("hts,origin,customs_value\n9503000073,CN,1\n")
    with pytest.raises(InvalidRequest, match="differ in"):
        import_table("entries", paths, mapping="ace")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("census", "{missing}"), "TABLE_UNREADABLE"),
        (("prices", "{missing}"), "REQUEST_INVALID"),
        (("hts", "{missing}", "--mapping", "ace"), "REQUEST_INVALID"),
    ],
)
def test_faults_are_messages(
    words: tuple[str, ...], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [word.format(missing=tmp_path / "missing.csv") for word in words]
    assert run(["data", "import", *given, "-o", str(tmp_path / "out.csv")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"tariffs: {reason}: ")
    assert "Traceback" not in said
