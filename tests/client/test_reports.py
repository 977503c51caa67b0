"""Reports, workbooks and charts say what the frames say, in files that others can open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastexcel  # type: ignore[import-untyped,unused-ignore]  # it may ship no types
import polars as pl
import pytest

from tariffs.client import Client, ExtraMissing, ImpactResult, Sweep, TimelineResult
from tariffs.client.cli.__main__ import run
from tariffs.client.results import charts

LINES = pl.DataFrame(
    {
        "hts": ["9503.00.0073", "8471.30.0100", "6109.10.0012"],
        "origin": ["CN", "VN", "BD"],
        "customs_value": [1000.0, 2000.0, 3000.0],
        "sku": ["=1+1", "<b>", "ü"],
    }
)
SCENARIOS = ["base", "ieepa-upheld-truce-lapsed"]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Client.local() as opened:
        yield opened


@pytest.fixture(scope="module")
def impact(client: Client) -> ImpactResult:
    return client.impact(
        LINES, SCENARIOS, on="2026-11-20", baseline="2025-01-01", by=["sku"], draws=16, attribute=True,
        include_lines=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def timeline(client: Client) -> TimelineResult:
    return client.timeline(
        LINES, SCENARIOS, start="2026-10-01", end="2027-03-01", baseline="2025-01-01", response="none"
    )


@pytest.fixture(scope="module")
def sweep(client: Client) -> Sweep:
    vary = {"cn": ["0%", "20%"], "vn": ["0%", "10%"]}
    return client.sweep(LINES, "rates-by-country", vary=vary, baseline="2025-01-01", response="none")


def test_a_report_is_one_file_with_tables_charts_notes_and_inputs(
    impact: ImpactResult, tmp_path: Path
) -> None:
    text = impact.report(tmp_path / "out" / "report.html", question="What if <the truce> lapses?")
    assert (tmp_path / "out" / "report.html").read_text(encoding="utf-8") == text
    assert "<h1>What if &lt;the truce&gt; lapses?</h1>" in text
    assert f"{impact.total['duty'][1]:,.2f}" in text
    assert str(impact.provenance["run_digest"]) in text
    assert text.count("<figure") == text.count('<div role="img" aria-label="') == 4
    assert text.count("<svg") == 4
    assert "<script" not in text
    assert re.findall(r"(?:src|href)=\"?http", text) == []
    assert impact.notes[0].message in text.replace("&#x27;", "'")
    assert "<b>" not in text.replace("<b></b>", "")


def test_the_same_result_gives_the_same_report(impact: ImpactResult) -> None:
    assert impact.report() == impact.report()


def test_a_report_without_the_extra_says_what_is_left_out(
    impact: ImpactResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr("tariffs.client.results.charts.importlib.import_module", missing)
    text = impact.report()
    assert "Charts are left out: pip install &#x27;tariffs[notebook]&#x27;" in text
    with pytest.raises(ExtraMissing):
        impact.chart()


def test_a_workbook_has_all_rows_numbers_as_numbers_and_texts_as_texts(
    impact: ImpactResult, tmp_path: Path
) -> None:
    path = tmp_path / "result.xlsx"
    impact.to_excel(path)
    book = fastexcel.read_excel(path)
    assert {"totals", "groups", "lines", "attribution", "tornado", "notes", "provenance"} <= {
        *book.sheet_names
    }
    groups = pl.DataFrame(book.load_sheet("groups"))
    # Excel keeps 16 digits.
    assert groups["duty"].to_list() == pytest.approx(impact.groups["duty"].to_list(), rel=1e-14)
    assert groups["sku"].to_list() == impact.groups["sku"].to_list()
    lines = pl.DataFrame(book.load_sheet("lines"))
    assert impact.lines is not None
    assert lines["hts"].dtype == pl.String
    assert lines["hts"].to_list() == impact.lines["hts"].to_list()
    inputs = dict(pl.DataFrame(book.load_sheet("provenance")).iter_rows())
    assert str(impact.provenance["run_digest"]) in inputs["run_digest"]


def test_charts_hold_the_numbers_of_the_frames(
    client: Client, impact: ImpactResult, timeline: TimelineResult, sweep: Sweep, tmp_path: Path
) -> None:
    quote = client.duty("8471.30.0100", origin="CN", entry_date="2025-05-20", value=12500)
    drawn = [
        quote.chart(), impact.chart(), impact.chart("duty_vs", "sku"), impact.chart("effective_rate"),
        impact.ranges_chart(), impact.tornado_chart(), impact.attribution_chart(), timeline.chart(), sweep.chart(),
    ]  # fmt: skip
    for place, chart in enumerate(drawn):
        chart.save(tmp_path / f"{place}.svg")
        assert "<svg" in (tmp_path / f"{place}.svg").read_text(encoding="utf-8")
    drawn[0].save(tmp_path / "quote.png")
    assert (tmp_path / "quote.png").read_bytes().startswith(b"\x89PNG")
    steps = charts.waterfall(["a", "b"], [10.0, 5.0]).data
    assert steps["end"].to_list() == [10.0, 15.0, 15.0]
    assert impact.chart().data["shown"].to_list() == pytest.approx(impact.total["duty"].to_list())


def test_results_are_written_by_their_suffix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "lines.csv"
    LINES.write_csv(table)
    for name in ("out.xlsx", "out.html", "out.csv", "out.parquet"):
        words = ["impact", str(table), "--on", "2026-11-20", "--response", "none", "--local", "-o"]
        assert run([*words, str(tmp_path / name)]) == 0
        assert (tmp_path / name).stat().st_size > 100
    assert run([*words, str(tmp_path / "out.doc")]) == 2
    capsys.readouterr()


def test_refunds_and_entries_have_reports_and_workbooks(client: Client, tmp_path: Path) -> None:
    entries = LINES.with_columns(entry_date=pl.lit("2025-06-02"))
    for result in (client.duties(entries), client.refund(entries)):
        result.to_excel(tmp_path / "entries.xlsx")
        assert "A planning estimate" in result.report()
