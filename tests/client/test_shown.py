"""Results show themselves in notebooks and at the prompt, short, escaped and readable, by names for their codes."""

from __future__ import annotations

import csv
import re
import sys
import traceback
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
import pytest

from tariffs.client import Client, ImpactResult, InvalidRequest, Note, Quote, Scenario, Unavailable
from tariffs.client._wire.progress import reporting
from tariffs.client.results import short_names
from tariffs.client.results.columns import largest_first
from tariffs.client.results.html import block, merged_notes, table
from tariffs.client.results.impact_view import change_words
from tariffs.client.results.short_names import label_of, name_of, spelled_out, with_names
from tariffs.client.results.tables import Section
from tariffs.engine.response.industries import sector_of
from tariffs.engine.schedule import reference_data
from tariffs.engine.schedule.countries import origin_codes

VOID = frozenset({"br", "hr", "img", "meta"})
LINES = pl.DataFrame(
    {
        "hts": ["9503.00.0073", "8471.30.0100", "6109.10.0012"] * 10,
        "origin": ["CN", "VN", "BD"] * 10,
        "customs_value": [1000.0 + row for row in range(30)],
    }
)


class Nesting(HTMLParser):
    """Checks that every element is closed in order, and collects the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.hovers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hovers += [value or "" for name, value in attrs if name == "title"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def parsed(markup: str) -> Nesting:
    parser = Nesting()
    parser.feed(markup)
    assert parser.open == []
    assert "<script" not in markup
    assert "http" not in markup
    return parser


@pytest.fixture(scope="module")
def quote(client: Client) -> Quote:
    return client.duty("8471.30.0100", origin="CN", entry_date="2025-05-20", value=12500)


@pytest.fixture(scope="module")
def impact(client: Client) -> ImpactResult:
    scenarios = ["base", "ieepa-upheld-truce-lapsed"]
    return client.impact(LINES, scenarios, on="2026-11-20", baseline="2025-01-01", response="none")


def test_a_quote_is_a_bill_with_its_sources_over_the_measures(quote: Quote) -> None:
    page = parsed(quote._repr_html_())
    text = " ".join(page.words)
    for layer in quote.layers:
        assert layer.measure in text
        assert f"{layer.amount:,}" in text
        assert "; ".join(layer.citations) in page.hovers
    assert f"Assumed ({len(quote.assumptions)})" in text
    assert "quote.why()" in text
    reasoned = quote.why()
    text = " ".join(parsed(reasoned._repr_html_()).words)
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


def test_results_are_no_dump_of_their_fields(client: Client, quote: Quote, impact: ImpactResult) -> None:
    timeline = client.timeline(
        LINES, ["base"], start="2026-10-01", end="2026-12-31", baseline="2025-01-01", response="none"
    )
    sweep = client.sweep(
        LINES, "rates-by-country", vary={"cn": ["0%", "20%"]}, baseline="2025-01-01", response="none"
    )
    entries = client.duties(LINES.with_columns(entry_date=pl.lit("2025-05-20")))
    refunds = client.refund(
        LINES.with_columns(entry_date=pl.lit("2025-05-20"), liquidation=pl.lit("2026-04-01"))
    )
    shown: list[Any] = [quote, impact, timeline, sweep, entries, refunds, client.measure("recip_cn")]
    shown += [client.scenario("truce-lapses"), client.check("schema: x\n"), Scenario.from_text("id: a\nb: c")]
    for one in shown:
        assert "provenance" not in repr(one)
        assert max(map(len, repr(one).splitlines())) < 200
        assert len(repr(one).splitlines()) < 60
        parsed(one._repr_html_())
    assert len(repr(client.measures()[0]).splitlines()) == 1


def test_totals_are_shown_to_the_cent_of_their_unit_and_columns_of_zeros_are_left_out(
    client: Client, impact: ImpactResult
) -> None:
    first = impact.total["duty"][0]
    assert f"{first:,.2f}" in repr(impact)
    assert f"{first:,.2f}" in impact._repr_html_()
    assert "USD; rates in percent" in repr(impact)
    text = repr(client.impact(LINES, on="2026-11-20", by=["origin"], response="none"))
    assert "duty" in text
    for title in ("after", "landed change", "vs first"):
        assert title not in text, title


def test_each_note_is_shown_once_with_its_scenarios() -> None:
    notes = [Note("A", "same", "one", "d"), Note("A", "same", "two", "d"), Note("B", "whole run")]
    assert merged_notes(notes) == ["A: same (one, two)", "B: whole run"]


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


DATA = Path(short_names.__file__).parent / "data"


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
    with (DATA / "headings.csv").open(encoding="utf-8", newline="") as file:
        named = {row["code"]: row["name"] for row in csv.DictReader(file)}
    assert set(codes.str.slice(0, 4)) - named.keys() == set()
    assert max(map(len, [*named.values(), *chapters])) <= 32
    assert len(set(named.values())) == len(named)
    assert all(name_of("hts4", code) == name for code, name in named.items())
    # Goods without a heading of their own have the name of their chapter.
    assert name_of("hts8", "85171300") == name_of("hts4", "8517")
    assert [name_of("hts4", code) for code in ("0799", "0000")] == ["Vegetables", ""]
