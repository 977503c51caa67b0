"""Results are answered in five lines and show themselves in notebooks and at the prompt, by names for their codes."""

from __future__ import annotations

import csv
import re
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree

import polars as pl
import pytest

from tariffs import names
from tariffs.client import Client, ImpactResult, InvalidRequest, Quote, Scenario, Unavailable
from tariffs.client._wire.progress import reporting
from tariffs.client.results.amounts import short_unit, three
from tariffs.client.results.answer import Answer, summary
from tariffs.client.results.columns import largest_first
from tariffs.client.results.html import block, table
from tariffs.client.results.impact_view import change_words
from tariffs.client.results.short_names import label_of, name_of, spelled_out, with_names
from tariffs.client.results.tables import Section
from tariffs.engine.response.industries import sector_of
from tariffs.engine.schedule import reference_data
from tariffs.engine.schedule.countries import origin_codes
from tests.client.conftest import Cli, goods

KEPT, LAPSED = "ieepa-upheld-truce-kept", "ieepa-upheld-truce-lapsed"
DAY = "2026-11-20"
ORIGINS = ("CN", "VN", "MX", "CA", "DE", "JP", "KR", "IN", "TH", "GB", "BR", "TR")
TOYS = goods(*(("9503.00.0073", origin, 1e11 / place) for place, origin in enumerate(ORIGINS, 1)))


@pytest.fixture(scope="module")
def impact(client: Client) -> ImpactResult:
    given: dict[str, Any] = {"on": DAY, "baseline": "2025-01-01", "by": ["origin"]}
    return client.impact(TOYS, [KEPT, LAPSED], draws=16, **given)


def lines(answer: Answer) -> dict[str, list[str]]:
    return {row[0]: list(row[1:]) for row in answer.table.rows}


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (363_338_544_804.0, 1e9, "363"),
        (-41_211_181_934.0, 1e9, "-41.2"),
        (7_918_000_000.0, 1e9, "7.92"),
        (999_600_000.0, 1e6, "1,000"),
        (0.0987, 0.01, "9.87"),
        (0.00001, 0.01, "0.00"),
        (-1e-9, 1.0, "0.00"),
        (1_234_567.0, 1.0, "1,230,000"),
        (0.0, 1e9, "0"),
        (None, 1e9, "-"),
    ],
)
def test_numbers_have_three_significant_digits(value: float | None, unit: float, text: str) -> None:
    assert three(value, unit) == text
    units = [short_unit(values).name for values in ([1e6, -3e9, None], [1e6, 999.0], [None, 12.0])]
    assert units == ["USD bn", "USD m", "USD"]


def test_each_line_is_that_of_the_totals_of_the_run(impact: ImpactResult) -> None:
    first, *_ = totals = impact.total.to_dicts()
    found = lines(impact.answer())
    assert len(found) == 8  # the range stands twice under one title
    rates = [
        [three(one[name], 0.01) for name in ("effective_rate", "effective_rate_after")] for one in totals
    ]
    assert found["Effective rate, %"] == [" -> ".join(pair) for pair in rates]
    change = [three(one["value_change"] / one["customs_value"], 0.01) for one in totals]
    assert found["Imports, change in %"] == change
    duties = [[one[name] for name in ("duty", "duty_after")] for one in totals]
    more = [late - early for early, late in zip(*duties, strict=True)]
    texts = [" -> ".join(three(one, 1e9) for one in pair) for pair in (duties[0], more)]
    assert found["Revenue assessed and owed, USD bn"][0] == texts[0]
    assert found["Revenue more than ieepa upheld truce kept, USD bn"] == ["-", texts[1]]
    share = three(first["borne_at_home"] / first["added_duty"], 0.01)
    assert found["Borne by US buyers, % of added duty"][0] == share
    assert found["Welfare, USD bn"] == [three(one["welfare"], 1e9) for one in totals]
    assert impact.answer().table.heads == ["", "ieepa upheld truce kept", "ieepa upheld truce lapsed"]


def test_the_bands_are_those_of_the_draws_and_say_what_they_leave_out(impact: ImpactResult) -> None:
    assert impact.ranges is not None
    bands = [row for row in impact.answer().table.rows if "elasticities only" in row[0]]
    rows = {name: impact.ranges.total.filter(column=name).to_dicts() for name in ("duty_after", "welfare")}
    more, welfare = rows["duty_after"][1], rows["welfare"][1]
    assert bands[0][1:] == ["-", f"{three(more['vs_p5'], 1e9)} to {three(more['vs_p95'], 1e9)}"]
    assert bands[1][2] == f"{three(welfare['p5'], 1e9)} to {three(welfare['p95'], 1e9)}"
    assert "How sure" not in impact.answer().about


def test_the_summary_of_json_is_that_of_the_answer(impact: ImpactResult) -> None:
    block = impact.to_json_dict()["scenarios"][1]  # type: ignore[index]  # a list of mappings
    total = block["total"]
    assert impact.models is not None
    spread = impact.models.filter(scenario=LAPSED)["welfare"]
    assert block["summary"] == {
        "rate": total["effective_rate"],
        "rate_after": total["effective_rate_after"],
        "imports_change": total["value_change"] / total["customs_value"],
        "revenue": total["duty"],
        "revenue_owed": total["duty_owed"],
        "revenue_after": total["duty_after"],
        "borne_at_home": total["borne_at_home"],
        "welfare": total["welfare"],
        "welfare_p5": next(one["p5"] for one in block["total_ranges"] if one["column"] == "welfare"),
        "welfare_p95": next(one["p95"] for one in block["total_ranges"] if one["column"] == "welfare"),
        "welfare_models": [spread.min(), spread.max()],
    }
    assert summary({"duty": 1.0})["welfare_p5"] is None
    assert summary({"duty": 1.0})["welfare_models"] is None


def test_the_spread_over_models_is_that_of_runs_of_their_own(client: Client, impact: ImpactResult) -> None:
    assert impact.models is not None
    own = impact.models.filter(scenario=LAPSED)["welfare"].to_list()
    other = client.impact(TOYS, [LAPSED], on=DAY, baseline="2025-01-01", by=[], response="exact_hat")
    assert (own[0], own[-1]) == (impact.total["welfare"][1], other.total["welfare"].item())
    assert impact.models.filter(scenario=LAPSED)["run_digest"].n_unique() == len(own) == 4
    found = lines(impact.answer())["  over models of trade"]
    assert found[1] == " to ".join(three(one, 1e9) for one in (min(own), max(own)))


def test_points_of_a_sweep_stand_side_by_side(client: Client) -> None:
    for vary, rates in (("0%:20%:10%", (0, 10, 20)), ("0%:10%:1%", (0, 2, 5, 8, 10))):
        found = client.sweep(TOYS, "rates-by-country", vary={"cn": vary}, on="2027-01-11", response="none")
        assert found.answer().table.heads == ["", *(f"cn {rate} %" for rate in rates)]


def test_groups_stand_by_name_with_scenarios_side_by_side(impact: ImpactResult) -> None:
    (table,) = impact.short_tables()
    assert table.heads == ["origin", "ieepa upheld truce kept", "ieepa upheld truce lapsed"]
    assert table.caption == "duty after, USD bn"
    assert len(table.rows) == 11
    assert table.rows[0][0] == "China"
    china = impact.groups.filter(origin="CN")["duty_after"]
    assert table.rows[0][1:] == [three(one, 1e9) for one in china]
    assert table.rows[-1][0].startswith("total, with ")
    assert table.rows[-1][1:] == [three(one, 1e9) for one in impact.total["duty_after"]]
    (rates,) = impact.short_tables("effective_rate", 3)
    assert rates.caption == "rate, percent"
    assert len(rates.rows) == 4


def test_void_duty_stands_apart_and_a_static_run_has_no_response(client: Client) -> None:
    answer = client.impact(on="2025-12-01", response="none").answer()
    found = lines(answer)
    revenue = ["Revenue assessed, USD bn", "Revenue owed, without void acts, USD bn"]
    assert list(found) == ["Effective rate, %", *revenue]
    assert "->" not in answer.table.caption
    assert answer.about == "Static: trade does not respond."


def test_one_scenario_is_answered_in_twelve_lines(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    text = re.sub(r"\x1b\[[0-9;]*m", "", cli.out(f"impact --on {DAY} --local"))
    answer, _, rest = text.partition("\n\n")
    assert len(answer.splitlines()) <= 12
    assert len(text.splitlines()) <= 32
    assert "_" not in rest.partition("\n\n")[0]
    assert max(map(len, text.splitlines())) <= 100
    assert "How sure: --draws 64" in " ".join(answer.split())


KINDS = (("9503.00.0073", "CN"), ("8471.30.0100", "VN"), ("6109.10.0012", "BD"))
LINES = goods(*((*KINDS[row % 3], 1000.0 + row) for row in range(30)))


def parsed(markup: str) -> ElementTree.Element:
    """Elements of a page that is closed in order and asks for nothing."""
    assert "<script" not in markup
    assert "http" not in markup
    return ElementTree.fromstring(f"<div>{markup}</div>")


@pytest.fixture(scope="module")
def quote(client: Client) -> Quote:
    return client.duty("8471.30.0100", origin="CN", entry_date="2025-05-20", value=12500)


@pytest.fixture(scope="module")
def static(client: Client) -> ImpactResult:
    scenarios = ["base", "ieepa-upheld-truce-lapsed"]
    return client.impact(LINES, scenarios, on="2026-11-20", baseline="2025-01-01", response="none")


def test_a_quote_is_a_bill_with_its_sources_over_the_measures(quote: Quote) -> None:
    page = parsed(quote._repr_html_())
    text, hovers = " ".join(page.itertext()), [one.get("title") for one in page.iter()]
    for layer in quote.layers:
        assert layer.measure in text
        assert f"{layer.amount:,}" in text
        assert "; ".join(layer.citations) in hovers
    assert f"Assumed ({len(quote.assumptions)})" in text
    assert "quote.why()" in text
    reasoned = quote.why()
    text = " ".join(parsed(reasoned._repr_html_()).itertext())
    assert spelled_out(reasoned.considered[0].text) in text
    assert "quote.why()" not in text
    assert len({quote, quote.why()}) == 2


def test_each_part_of_the_bar_of_a_quote_has_its_colour_before_its_measure(client: Client) -> None:
    quote = client.duty("9503.00.0073", origin="CN", entry_date="2025-05-14", value=10_000)
    charged = [layer.measure for layer in quote.layers if layer.amount > 0]
    page = quote._repr_html_()
    parts = re.findall(r'<span title="([^"]*): [\d,.]+ USD" style="width:[^;]*;background:(#\w+)">', page)
    squares = re.findall(r'<span class="key" style="background:(#\w+)"></span>([^<]+)', page)
    assert [name for name, _ in parts] == [f"{label_of('measure', one)} ({one})" for one in charged]
    assert squares == [(colour, name) for name, colour in parts]
    assert len(charged) == 2


def test_results_are_no_dump_of_their_fields(client: Client, quote: Quote, static: ImpactResult) -> None:
    timeline = client.timeline(LINES, ["base"], start="2026-10-01", end="2026-12-31", response="none")
    sweep = client.sweep(LINES, "rates-by-country", vary={"cn": ["0%", "20%"]}, response="none")
    dated = LINES.with_columns(entry_date=pl.lit("2025-05-20"), liquidation=pl.lit("2026-04-01"))
    entries, refunds = client.duties(dated.drop("liquidation")), client.refund(dated)
    shown: list[Any] = [quote, static, timeline, sweep, entries, refunds, client.measure("recip_cn")]
    shown += [client.scenario("truce-lapses"), client.check("schema: x\n"), Scenario.from_text("id: a\nb: c")]
    for one in shown:
        assert "provenance" not in repr(one)
        assert max(map(len, repr(one).splitlines())) < 200
        assert len(repr(one).splitlines()) < 60
        parsed(one._repr_html_())
    assert len(repr(client.measures()[0]).splitlines()) == 1


def test_totals_are_to_the_cent_and_columns_of_zeros_left_out(client: Client, static: ImpactResult) -> None:
    first = static.total["duty"][0]
    assert f"{first:,.2f}" in repr(static)
    assert f"{first:,.2f}" in static._repr_html_()
    assert "USD; rates in percent" in repr(static)
    text = repr(client.impact(LINES, on="2026-11-20", by=["origin"], response="none"))
    assert "duty" in text
    for title in ("after", "landed change", "vs first"):
        assert title not in text, title


def test_text_of_a_user_is_escaped() -> None:
    assert "<b>" not in block(table(["<b>"], 0, [["<b>&"]], "<b>"))
    assert "<b>" not in Scenario.from_text("<b>\n<i>", source="<b>")._repr_html_()


def test_an_error_is_one_line_with_its_fix_in_a_notebook() -> None:
    error = InvalidRequest("HTS_UNKNOWN", "There is no <code>.", fix="Give another.")
    assert error._render_traceback_() == ["InvalidRequest HTS_UNKNOWN: There is no <code>. Give another."]
    assert "&lt;code&gt;" in error._repr_html_()


def test_the_traceback_of_a_failed_call_is_ours_and_keeps_its_cause() -> None:
    with Client("127.0.0.1:1") as client, pytest.raises(Unavailable) as failure:
        client.law(timeout=30.0)
    assert failure.value.__cause__ is not None
    text = "".join(traceback.format_exception(failure.value))
    assert "grpc/_channel.py" not in text
    assert len(text.splitlines()) < 45


def test_ties_are_broken_by_the_customs_value() -> None:
    rows = pl.DataFrame({"customs_value": [1.0, 3.0, 2.0], "duty": [0.0, 0.0, 5.0]})
    assert largest_first(rows, "duty")["customs_value"].to_list() == [2.0, 3.0, 1.0]


def test_a_label_keeps_the_code_of_goods_alone() -> None:
    assert label_of("hts2", "85") == "85 Electronics"
    assert label_of("origin", "VN") == "Vietnam"
    assert label_of("authority", "s301.fl") == "Section 301, forced labor"
    assert label_of("sku", "A-7") == "A-7"


def test_changes_are_written_by_authority_what_country_and_rate() -> None:
    written = {
        "set_rate fl301 for CN to 20% from 2027-01-01": "Section 301, forced labor: China 20 % from 2027-01-01",
        "terminate s122_10 from 2026-02-24": "Section 122 import surcharge: ended from 2026-02-24",
        "revalidate ieepa": "IEEPA: valid again",
        "mine": "mine",
    }
    assert {text: change_words(text) for text in written} == written


def test_groups_by_authority_name_it_before_the_country() -> None:
    rows = pl.DataFrame({"origin": ["CN", "VN"], "authority": ["s301.fl", None], "duty": [2.5e9, 1e9]})
    table = Section("duty", rows, ["origin", "authority"], ["duty"], 1, total={"duty": 3.5e9}).short()
    assert table.rows == [["Section 301, forced labor: China", "2.50"], ["total, with 1 more", "3.50"]]
    exact = Section("duty", rows, ["origin", "authority"], ["duty"], 1).exact()
    assert exact.caption == "duty; million USD; rates in percent"
    assert exact.rows == [["CN", "s301.fl", "2,500.00"], ["and 1 more", "", ""]]


def test_texts_name_measures_by_their_titles() -> None:
    assert spelled_out("void (ieepa, s232_IA)") == "void (IEEPA, Section 232, metals, Annex I-A)"
    assert spelled_out("s301_l4b: no longer suspended") == "Section 301 China, list 4B: no longer suspended"
    assert spelled_out("the rate of mine_25 rises") == "the rate of mine_25 rises"


def test_frames_get_names_behind_codes() -> None:
    frame = pl.DataFrame({"hts4": ["8517", None], "authority": ["s122", "mine"], "duty": [1.0, 2.0]})
    assert with_names(frame).columns == ["hts4", "hts4_name", "authority", "authority_name", "duty"]
    assert with_names(frame)["authority_name"].to_list() == ["Section 122 of the Trade Act of 1974", None]
    assert with_names(frame.clear()).height == 0


@pytest.mark.parametrize("in_notebook", [True, False])
def test_a_notebook_shows_a_bar_and_a_script_none(
    in_notebook: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    if in_notebook:
        marimo = SimpleNamespace(running_in_notebook=lambda: True)
        monkeypatch.setitem(sys.modules, "marimo", cast("Any", marimo))
    with reporting(True) as report:
        report("compiling the law", 0.25)
    assert ("compiling the law: 25 %" in capsys.readouterr().err) is in_notebook


def test_every_code_has_a_short_name() -> None:
    assert all(name_of("origin", code) for code in origin_codes())
    chapters = [name_of("hts2", f"{chapter:02}") for chapter in range(1, 98)]
    assert all(chapters)
    codes = reference_data.reference_table()["hts"].unique()
    assert [one for one in set(sector_of(codes.to_list())) if one and not name_of("sector", one)] == []
    headings = Path(names.__file__).parent / "data" / "headings.csv"
    with headings.open(encoding="utf-8", newline="") as file:
        named = {row["code"]: row["name"] for row in csv.DictReader(file)}
    assert set(codes.str.slice(0, 4)) - named.keys() == set()
    assert max(map(len, [*named.values(), *chapters])) <= 32
    assert len(set(named.values())) == len(named)
    assert all(name_of("hts4", code) == name for code, name in named.items())
    # Goods without a heading of their own have the name of their chapter.
    assert name_of("hts8", "85171300") == name_of("hts4", "8517")
    assert [name_of("hts4", code) for code in ("0799", "0000")] == ["Vegetables", ""]
