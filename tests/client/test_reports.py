"""Reports, workbooks and charts say what the frames say, in files that others can open."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import fastexcel  # type: ignore[import-untyped,unused-ignore]  # it may ship no types
import polars as pl
import pytest

from tariffs.client import Client, ExtraMissing, ImpactResult, InvalidRequest, Scenario, Sweep, TimelineResult
from tariffs.client.results import charts
from tariffs.client.results.amounts import in_words
from tariffs.client.results.balance import Balance
from tariffs.client.results.short_names import label_of
from tariffs.client.results.workbook import write_workbook
from tests.client.conftest import Cli, goods, scenario_text

LINES = goods(
    ("9503.00.0073", "CN", 1000.0, "=1+1"),
    ("8471.30.0100", "VN", 2000.0, "<b>"),
    ("6109.10.0012", "BD", 3000.0, "ü"),
    more=("sku",),
)
LARGE = LINES.with_columns(pl.col("customs_value") * 1e6)
SCENARIOS = ["base", "ieepa-upheld-truce-lapsed"]
DAY: dict[str, Any] = {"on": "2026-11-20", "baseline": "2025-01-01"}


@pytest.fixture(scope="module")
def impact(client: Client) -> ImpactResult:
    return client.impact(LINES, SCENARIOS, **DAY, by=["sku"], draws=16, attribute=True, include_lines=True)


@pytest.fixture(scope="module")
def timeline(client: Client) -> TimelineResult:
    days: dict[str, Any] = {"start": "2026-10-01", "end": "2027-03-01", "baseline": "2025-01-01"}
    return client.timeline(LINES, SCENARIOS, **days, response="none")


@pytest.fixture(scope="module")
def sweep(client: Client) -> Sweep:
    vary = {"cn": ["0%", "20%"], "vn": ["0%", "10%"]}
    return client.sweep(LINES, "rates-by-country", vary=vary, baseline="2025-01-01", response="none")


def test_a_report_is_one_file_with_tables_charts_notes_and_inputs(impact: ImpactResult) -> None:
    text = impact.report("out/report.html", question="What if <the truce> lapses?")
    assert Path("out/report.html").read_text(encoding="utf-8") == text
    assert impact.report(question="What if <the truce> lapses?") == text
    assert "<h1>What if &lt;the truce&gt; lapses?</h1>" in text
    change = impact.total["duty_after"][1] - impact.total["duty_after"][0]
    assert f"{in_words(change)} a year higher" in text
    assert str(impact.provenance["run_digest"]) in text
    assert text.count("<figure") == text.count('<div role="img" aria-label="') == 1
    assert text.count("<svg") == 1
    for title in ("Who bears it", "How sure it is", "What was assumed", "How to repeat it"):
        assert f"<h2>{title}</h2>" in text
    assert "<script" not in text
    assert re.findall(r"(?:src|href)=\"?http", text) == []
    assert impact.notes[0].message in text.replace("&#x27;", "'")
    assert "<b>" not in text.replace("<b></b>", "")


HALVED = scenario_text(
    "op: shock_quantity, origins: [CN], from: 2026-02-01, share: 50%",
    "op: shock_quantity, origins: [VN], from: 2026-02-01, share: 50%, rents: government",
    "op: shock_quantity, origins: [BD], from: 2026-02-01, share: 50%, rents: exporter",
)


def balance_of(text: str) -> dict[str, list[int]]:
    """Tenths of the unit of the table by party in the balance of a report."""
    (found,) = re.findall(r"<caption>USD[^<]*, against the baseline.*?</table>", text, re.DOTALL)
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in found.split("<tr")[2:]]
    return {cells[0]: [int(cell.replace(",", "").replace(".", "")) for cell in cells[1:]] for cells in rows}


def dollars_of(result: ImpactResult) -> dict[str, list[int]]:
    """Whole dollars by party."""
    return {name: [one or 0 for one in values] for name, values in Balance(result.total, "US buyers").rows()}


@pytest.mark.parametrize("market", ["product", "sector"])
def test_gains_and_losses_of_a_report_add_up_to_welfare_to_the_dollar(client: Client, market: str) -> None:
    result = client.impact(LARGE, ["base", Scenario.from_text(HALVED)], **DAY, market=market)
    shown, found = balance_of(result.report()), dollars_of(result)
    parts = (shown[f"added duty borne by {who}"] for who in ("exporters", "US buyers"))
    assert shown["added duty"] == [sum(both) for both in zip(*parts, strict=True)]
    assert shown.keys() == found.keys()
    whole, gains = found.pop("welfare"), [values for name, values in found.items() if "gain" in name]
    rents = [found["quota rents of importers"], found["quota rents of the government"]]
    assert len(gains) == (2 if market == "product" else 3)
    assert min(rents[0][1], rents[1][1], found["quota rents of exporters, which are in their prices"][1]) > 0
    for place, welfare in enumerate(result.total["welfare"]):
        assert whole[place] == sum(values[place] for values in [*gains, *rents])
        assert whole[place] == pytest.approx(welfare, abs=3.0)
        borne = sum(values[place] for name, values in found.items() if "borne" in name)
        assert borne == found["added duty"][place]
        assert borne == pytest.approx(result.total["added_duty"][place], abs=2)


def test_the_treasury_does_not_keep_void_duty(client: Client) -> None:
    """Before the decision of February 2026 duty was collected that is void: importers get it back."""
    void, net = "void duty in it, which goes back to importers", "gain of the treasury net of void duty"
    result = client.impact(LARGE, on="2025-11-15", baseline="2025-01-01")
    found, total = dollars_of(result), result.total.row(0, named=True)
    assert {void, net} <= set(balance_of(result.report()))
    assert found[void][0] == pytest.approx(total["duty_after"] - total["duty_owed_after"], abs=2.0)
    assert found[void][0] > 0
    assert found[net][0] == found["gain of the treasury: change of duty"][0] - found[void][0]
    assert not {void, net} & set(balance_of(client.impact(LARGE, **DAY).report()))


@pytest.mark.parametrize("suffix", ["html", "xlsx", "csv", "parquet", "doc"])
def test_the_command_writes_results_by_their_suffix(suffix: str, cli: Cli) -> None:
    LINES.drop("sku").write_csv("lines.csv")
    words = "impact lines.csv --on 2026-11-20 --response none --local --brief"
    if suffix == "doc":
        assert "Name a .parquet, .csv, .xlsx or .html file." in cli.err(f"{words} -o rows.doc", 2)
        assert "ends in .html" in cli.err(f"{words} --report report.pdf", 2)
    else:
        cli.out(f"{words} --report report.html -o rows.{suffix}")
        text = Path("report.html").read_text(encoding="utf-8")
        assert "Importers pay the duty." in text
        assert "gain of US buyers" not in text
        assert Path(f"rows.{suffix}").stat().st_size > 100


def test_a_report_of_a_scenario_whose_changes_begin_later_says_so_and_draws_the_duty(client: Client) -> None:
    later = ("base", "forced-labor-zero-on-china")
    view = client.impact(LARGE.head(1), later, on="2026-11-20", response="none").to_view()
    assert "nothing changes on 2026-11-20 (changes of it begin later)" in view.answer[0]
    assert isinstance(view.figure, charts.Figure)
    assert view.figure.title.startswith("Duty by country")
    assert view.figure.rows["shown"].to_list()[0] > 0


def test_without_the_extra_a_report_says_so(impact: ImpactResult, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name=name)

    impact.report()
    monkeypatch.setattr("tariffs.client.errors.importlib.import_module", missing)
    assert "Charts are left out: pip install &#39;tariffs[notebook]&#39;" in impact.report()
    with pytest.raises(ExtraMissing):
        impact.chart()


def test_a_workbook_has_all_rows_numbers_as_numbers_and_texts_as_texts(impact: ImpactResult) -> None:
    path = Path("result.xlsx")
    impact.to_excel(path)
    book = fastexcel.read_excel(path)
    names = ("groups", "lines", "attribution", "provenance")
    groups, lines, changes, inputs = (pl.DataFrame(book.load_sheet(name)) for name in names)
    assert {"totals", "tornado", "notes"} <= {*book.sheet_names}
    # Excel keeps 16 digits.
    rows = impact.groups.sort("scenario", "duty", descending=[False, True])
    assert groups["duty"].to_list() == pytest.approx(rows["duty"].to_list(), rel=1e-14)
    assert groups["sku"].to_list() == rows["sku"].to_list()
    assert impact.attribution is not None
    assert changes["text"].is_unique().all()
    assert changes["duty"].sum() == pytest.approx(impact.attribution["duty"].sum())
    assert impact.lines is not None
    assert lines["hts"].dtype == pl.String
    assert lines["hts"].to_list() == impact.lines["hts"].to_list()
    assert str(impact.provenance["run_digest"]) in dict(inputs.iter_rows())["run_digest"]


def test_a_workbook_begins_with_its_question_and_has_names_filters_and_percent(client: Client) -> None:
    result = client.impact(LINES, on="2026-11-20", by=["origin"], response="none")
    path = Path("result.xlsx")
    result.to_excel(path, question="What do <we> pay?")
    book = fastexcel.read_excel(path)
    cover = dict(pl.DataFrame(book.load_sheet("cover", header_row=None)).iter_rows())
    assert (cover["question"], cover["days"]) == ("What do <we> pay?", "2026-11-20")
    assert str(result.provenance["law_version"]) in cover["law"]
    groups = pl.DataFrame(book.load_sheet("groups"))
    assert groups.columns[groups.columns.index("origin") + 1] == "origin_name"
    names = dict(groups.select("origin", "origin_name").iter_rows())
    assert names == {"CN": "China", "VN": "Vietnam", "BD": "Bangladesh"}
    with zipfile.ZipFile(path) as parts:
        assert parts.read("xl/worksheets/sheet3.xml").count(b"<autoFilter") == 1
        assert b'formatCode="0.00%"' in parts.read("xl/styles.xml")


def test_a_workbook_of_a_sweep_has_the_largest_first(client: Client, sweep: Sweep) -> None:
    path = Path("sweep.xlsx")
    sweep.to_excel(path)
    first = pl.DataFrame(fastexcel.read_excel(path).load_sheet("groups")).head(3)
    assert first["duty"].to_list() == sorted(first["duty"], reverse=True)
    entries = LINES.with_columns(entry_date=pl.lit("2025-06-02"))
    for result in (client.duties(entries), client.refund(entries)):
        result.to_excel("entries.xlsx")
        assert "A planning estimate" in result.report()
    with zipfile.ZipFile(path) as parts:
        style = re.search(rb'<c r="A2" s="(\d+)"', parts.read("xl/worksheets/sheet2.xml"))
        styles = parts.read("xl/styles.xml")
    percent = re.search(rb'<numFmt (numFmtId="\d+") formatCode="0.00%"', styles)
    assert style is not None
    assert percent is not None
    assert percent[1] in styles.split(b"<cellXfs")[1].split(b"<xf ")[int(style[1]) + 1]


def test_a_chart_by_one_of_two_keys_sums_over_the_other(client: Client) -> None:
    result = client.impact(None, SCENARIOS, on="2026-11-20", by=["hts2", "origin"], response="none")
    chart = result.chart("duty", by="hts2")
    plain = result.groups.group_by("scenario", "hts2").agg(pl.col("duty").sum())
    sizes = plain.group_by("hts2").agg(pl.col("duty").max()).sort("duty", descending=True)
    names = chart.data["hts2"].unique(maintain_order=True).to_list()
    assert names == [*sizes["hts2"].head(15), "others"]
    others = dict(chart.data.filter(hts2="others").select("scenario", "duty").iter_rows())
    rest = plain.filter(~pl.col("hts2").is_in(names)).group_by("scenario").agg(pl.col("duty").sum())
    assert others == pytest.approx(dict(rest.iter_rows()))
    drawn = chart.data.join(plain, on=["scenario", "hts2"], suffix="_plain")
    assert drawn["duty"].to_list() == pytest.approx(drawn["duty_plain"].to_list())
    assert len(chart.data) == 32
    assert chart.data["label"][0] == label_of("hts2", names[0]) != names[0]
    assert set(result.chart("duty_vs", by="hts2").data["scenario"]) == {"ieepa-upheld-truce-lapsed"}
    assert set(result.chart("duty_vs").data["scenario"]) == {"ieepa-upheld-truce-lapsed"}
    with pytest.raises(InvalidRequest, match="cannot be summed"):
        result.chart("effective_rate", by="origin")
    days = [Scenario.named("base").on(day) for day in ("2025-06-02", "2026-11-20")]
    several = client.impact(LINES, days, by=["origin"], response="none")
    assert several.chart("duty", by="origin").data["scenario"].n_unique() == 2


@pytest.mark.parametrize(
    ("of", "method", "arguments", "said"),
    [
        ("impact", "chart", ("duty", "hts4"), "no key 'hts4'"),
        ("impact", "chart", ("duty", "on"), "no key 'on'"),
        ("impact", "chart", ("nonsense", "sku"), "no numbers 'nonsense'"),
        ("timeline", "chart", ("nonsense",), "no numbers 'nonsense'"),
        ("impact", "report", ("none-such/x.pdf",), "html"),
        ("impact", "to_excel", ("none-such/x.csv",), "xlsx"),
    ],
)
def test_what_a_result_does_not_have_or_cannot_be_written_as_is_refused(
    of: str, method: str, arguments: tuple[str, ...], said: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(InvalidRequest, match=said) as caught:
        getattr(request.getfixturevalue(of), method)(*arguments)
    assert caught.value.fix
    assert not Path("none-such").exists()


def test_a_chart_of_a_timeline_marks_the_days_on_which_duties_change_alone(client: Client) -> None:
    result = client.timeline(
        LINES, SCENARIOS, start="2026-10-01", end="2027-01-31", baseline="2025-01-01", by=["origin"]
    )
    assert {"2026-10-31", "2026-11-30"} <= set(result.totals["start"])
    marks, *_ = result.chart().layer
    before = pl.col("duty").shift().over("scenario")
    assert set(marks.data["start"]) == set(result.totals.filter(pl.col("duty") != before)["start"])
    assert "2026-11-10" in set(marks.data["start"])
    quiet = client.timeline(LINES, start="2026-10-01", end="2026-10-05", baseline="2025-01-01", by=["origin"])
    quiet.chart().to_dict()


def test_sheets_have_the_largest_first(impact: ImpactResult, timeline: TimelineResult) -> None:
    segments = timeline.workbook_sheets()["segments"].partition_by("scenario", "start", "end")
    groups = impact.workbook_sheets()["attribution of groups"].partition_by("scenario", "on", "unit")
    for part in (*segments, *groups):
        assert part["duty"].abs().is_sorted(descending=True)


def test_charts_hold_the_numbers_of_the_frames(
    client: Client, impact: ImpactResult, timeline: TimelineResult, sweep: Sweep
) -> None:
    quote = client.duty("8471.30.0100", origin="CN", entry_date="2025-05-20", value=12500)
    drawn = [
        quote.chart(), impact.chart(), impact.chart("duty_vs", "sku"), impact.chart("effective_rate"),
        impact.ranges_chart(), impact.tornado_chart(), impact.attribution_chart(), timeline.chart(), sweep.chart(),
    ]  # fmt: skip
    for chart in drawn:
        chart.save(Path("chart.svg"))
        assert "<svg" in Path("chart.svg").read_text(encoding="utf-8")
    drawn[0].save(Path("quote.png"))
    assert Path("quote.png").read_bytes().startswith(b"\x89PNG")
    assert charts.waterfall(["a", "b"], [10.0, 5.0]).data["end"].to_list() == [10.0, 15.0, 15.0]
    assert impact.chart().data["shown"].to_list() == pytest.approx(impact.total["duty"].to_list())


def test_a_workbook_is_wide_enough_for_its_numbers_and_its_chart_stands_below_its_text() -> None:
    days = pl.DataFrame({"start": ["2026-10-01", "2026-11-10"], "base": [276.4e9, 276.7e9]})
    unit, path, text = charts.unit_of("duty", [276.7e9]), Path("b.xlsx"), "many words " * 40
    figure = charts.Figure(lambda: None, "Duty over the period, USD bn", "", days, unit)
    groups = {"groups": pl.DataFrame({"d": [-276.4e9]})}
    write_workbook(path, {"answer": text, "law": "L"}, groups, {}, figure)
    shown = pl.DataFrame(fastexcel.read_excel(path).load_sheet("chart"))
    assert shown["base"].to_list() == pytest.approx([276.4, 276.7])
    with zipfile.ZipFile(path) as parts:
        cover, sheet = (parts.read(f"xl/worksheets/sheet{n}.xml").decode() for n in (1, 2))
        drawing = parts.read("xl/drawings/drawing1.xml").decode()
    (height,) = map(float, re.findall(r'<row r="1"[^>]* ht="([\d.]+)"', cover))
    width = float(re.findall(r'<col [^>]*width="([\d.]+)"', sheet)[0])
    row = float(re.findall(r"<xdr:from>.*?<xdr:row>(\d+)<", drawing)[0])
    assert height >= 15 * len(text) / 110
    assert width >= len("-276,400,000,000.00")
    assert row >= 2
