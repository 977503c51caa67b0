"""Results show themselves in notebooks and at the prompt, short, escaped and readable."""

from __future__ import annotations

import importlib.metadata
import re
import traceback
from html.parser import HTMLParser
from typing import Any

import polars as pl
import pytest

import tariffs.client
from tariffs.client import Client, ImpactResult, InvalidRequest, Note, Quote, Scenario, Unavailable
from tariffs.client.cli.render.results import print_result
from tariffs.client.results.columns import largest_first
from tariffs.client.results.html import STATE_COLOURS, block, merged_notes, table
from tariffs.client.results.short_names import label_of, spelled_out

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


def test_each_part_of_the_bar_of_a_quote_has_its_colour_before_its_measure(client: Client) -> None:
    quote = client.duty("9503.00.0073", origin="CN", entry_date="2025-05-14", value=10_000)
    charged = [layer.measure for layer in quote.layers if layer.amount > 0]
    page = quote._repr_html_()
    parts = re.findall(r'<span title="([^"]*): [\d,.]+ USD" style="width:[^;]*;background:(#\w+)">', page)
    squares = re.findall(r'<span class="key" style="background:(#\w+)"></span>([^<]+)', page)
    assert [name for name, _ in parts] == [f"{label_of('measure', one)} ({one})" for one in charged]
    assert squares == [(colour, name) for name, colour in parts]
    assert len(charged) == 2


def test_a_quote_with_reasons_shows_them_in_place_of_the_hint(quote: Quote) -> None:
    reasoned = quote.why()
    text = " ".join(parsed(reasoned._repr_html_()).words)
    assert spelled_out(reasoned.considered[0].text) in text
    assert "quote.why()" not in text


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


def test_totals_are_shown_to_the_cent_of_their_unit(impact: ImpactResult) -> None:
    first = impact.total["duty"][0]
    assert f"{first:,.2f}" in repr(impact)
    assert f"{first:,.2f}" in impact._repr_html_()
    assert "USD; rates in percent" in repr(impact)


def test_each_note_is_shown_once_with_its_scenarios() -> None:
    notes = [Note("A", "same", "one", "d"), Note("A", "same", "two", "d"), Note("B", "whole run")]
    assert merged_notes(notes) == ["A: same (one, two)", "B: whole run"]


def test_text_of_a_user_is_escaped() -> None:
    assert "<b>" not in block(table(["<b>"], 0, [["<b>&"]], "<b>"))
    assert "<b>" not in Scenario.from_text("<b>\n<i>", source="<b>")._repr_html_()


def test_colours_of_states_can_be_read_on_white() -> None:
    for colour in STATE_COLOURS.values():
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        luminance = sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
        assert 1.05 / (luminance + 0.05) >= 4.5, colour


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


def test_quotes_have_a_hash_and_the_client_a_version(client: Client) -> None:
    first, again = (
        client.duty("9503.00.0073", origin="CN", entry_date="2025-05-14", value=100) for _ in "ab"
    )
    assert len({first, again}) == 1
    assert importlib.metadata.version("tariffs") == tariffs.client.__version__


def test_columns_of_zeros_are_left_out(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    result = client.impact(LINES, on="2026-11-20", by=["origin"], response="none")
    print_result(result, wide=True, brief=True)
    shown = capsys.readouterr().out
    assert "duty" in shown
    for title in ("after", "landed change", "vs first"):
        assert title not in shown, title
    text = repr(client.impact(LINES, on="2026-11-20", by=["origin"], response="none"))
    assert "value after" not in text


def test_ties_are_broken_by_the_customs_value() -> None:
    rows = pl.DataFrame({"customs_value": [1.0, 3.0, 2.0], "duty": [0.0, 0.0, 5.0]})
    assert largest_first(rows, "duty")["customs_value"].to_list() == [2.0, 3.0, 1.0]


def test_a_stream_of_lines_ends_with_its_block(client: Client) -> None:
    with client.lines(LINES, on="2026-11-20") as stream:
        assert next(stream).height == LINES.height
    assert list(stream) == []
