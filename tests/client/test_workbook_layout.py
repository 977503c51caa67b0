"""Sheets of a workbook show their numbers in full, and its chart lies below its text."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import fastexcel
import polars as pl
import pytest

from tariffs.client.results import charts
from tariffs.client.results.workbook import write_workbook


def test_a_workbook_is_wide_enough_for_its_numbers_and_its_chart_stands_below_its_text_in_the_unit_of_its_title(
    tmp_path: Path,
) -> None:
    days = pl.DataFrame({"start": ["2026-10-01", "2026-11-10"], "base": [276.4e9, 276.7e9]})
    figure = charts.Figure(
        lambda: None, "Duty over the period, USD bn", "", days, charts.unit_of("duty", [276.7e9])
    )
    text = "many words " * 40
    write_workbook(
        tmp_path / "b.xlsx",
        {"answer": text, "law": "L"},
        {"groups": pl.DataFrame({"d": [-276.4e9]})},
        {},
        figure,
    )
    shown = pl.DataFrame(fastexcel.read_excel(tmp_path / "b.xlsx").load_sheet("chart"))
    assert shown["base"].to_list() == pytest.approx([276.4, 276.7])
    with zipfile.ZipFile(tmp_path / "b.xlsx") as parts:
        cover, groups = (parts.read(f"xl/worksheets/sheet{n}.xml").decode() for n in (1, 2))
        drawing = parts.read("xl/drawings/drawing1.xml").decode()
    found = [
        re.search(r'<row r="1"[^>]* ht="([\d.]+)"', cover),
        re.search(r'<col [^>]*width="([\d.]+)"', groups),
        re.search(r"<xdr:from>.*?<xdr:row>(\d+)<", drawing),
    ]
    height, width, row = (float(one[1]) for one in found if one)
    assert height >= 15 * len(text) / 110
    assert width >= len("-276,400,000,000.00")
    assert row >= 2
