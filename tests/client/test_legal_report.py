"""A report says which law it rests on: scenarios in words, open points, sources, digests; readable by anyone."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from tariffs.client import Client, Scenario
from tariffs.client.cli.__main__ import run
from tests.client.test_charts import contrast

SCENARIOS = ["base", "ieepa-upheld-truce-lapsed"]
GOODS = [("9503000073", "CN", 1000.0), ("8471300100", "VN", 2000.0), ("7208100000", "CA", 500.0)]
LINES = pl.DataFrame(GOODS, ["hts", "origin", "customs_value"], orient="row")


@pytest.fixture(scope="module")
def report(client: Client) -> str:
    result = client.impact(scenarios=SCENARIOS, on="2026-11-20", by=["origin"])
    return result.report(question="What if?", law=client.legal_text(result))


def text_of(document: str) -> str:
    document = re.sub(r"<(svg|style).*?</\1>", "", document, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", document).replace("&#39;", "'").replace("&amp;", "&"))


def test_scenarios_are_in_words_with_the_sources_of_what_they_change(report: str, client: Client) -> None:
    text, info = text_of(report), client.scenario(SCENARIOS[1])
    assert info.title in text
    assert " ".join(info.description.split()) in text
    begun = [one for one in client.diff(*SCENARIOS) if one.start[:10] <= "2026-11-20"]
    in_force = [one.text for one in begun if not one.end]
    past = [one.text for one in begun if one.end and one.end[:10] <= "2026-11-20"]
    assert len(in_force) > 5
    assert all(one in text for one in in_force)
    assert past
    assert not any(one in text for one in past)
    for name in ("fl301", "recip_cn"):
        assert all(source in text for source in client.measure(name).citations)


def test_law_version_run_digest_and_doubts_are_named(report: str, client: Client) -> None:
    text, law = text_of(report), client.law()
    assert f"Law: {law.version}" in text
    assert f"Digest of the law: {law.digest}" in text
    assert re.search(r"Run: [0-9a-f]{64}", text)
    switch = next(one for one in law.switches if one.id == "usmca_basis")
    assert f"usmca_basis, taken as {switch.default} (or " in text
    assert switch.text in text
    sources = text.split("Legal sources")[-1]
    modelled = [
        one for one in client.measures() if one.modelled and not one.announced and one.direction != "export"
    ]
    assert len(modelled) > 60
    assert all(one.id in sources and all(source in sources for source in one.citations) for one in modelled)


def test_a_written_scenario_has_its_text_and_its_changes(client: Client) -> None:
    own = Scenario.from_text(
        "schema: tariffs.scenario/v1\nid: mine\ntitle: Mine\nbasis: hypothesis\nchanges:\n"
        "  - {op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2026-12-01, rate: 5%}\n"
    )
    result = client.impact(LINES, ["base", own], on="2026-12-02", response="none")
    text = text_of(result.report(law=client.legal_text(result)))
    assert "op: set_rate" in text
    assert "5%" in text.split("change of the law against base")[1]
    early = client.impact(LINES, ["base", own], on="2026-11-28", response="none")
    assert "its law is that of base" in text_of(early.report(law=client.legal_text(early)))


def test_every_kind_of_result_has_a_legal_text(client: Client) -> None:
    timeline = client.timeline(LINES, SCENARIOS, start="2026-11-01", end="2026-11-20", response="none")
    assert timeline.days == ["2026-11-01", "2026-11-20"]
    sweep = client.sweep(
        LINES, "rates-by-country", vary={"cn": ["0%", "10%"]}, on="2026-12-01", response="none"
    )
    entries = LINES.with_columns(entry_date=pl.lit("2025-06-02"))
    for result in (timeline, sweep, client.duties(entries), client.refund(entries)):
        text = text_of(result.report(law=client.legal_text(result)))
        assert "Legal sources" in text
        assert "Run: " in text


@pytest.mark.parametrize(
    "words", [("impact", "--on", "2026-11-20"), ("impact", "--on", "2027-02-01", "--both")]
)
def test_the_command_line_writes_the_law_into_reports(words: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "out.html"
    scenarios = [word for name in ("base", "canada-settles") for word in ("-s", name)]
    assert run([*words, *scenarios, "--response", "none", "-o", str(path), "--local", "--brief"]) == 0
    text = text_of(path.read_text(encoding="utf-8"))
    assert text.count("Legal sources") == (2 if "--both" in words else 1)
    assert Client.local().scenario("canada-settles").title in text


def test_a_report_is_accessible_and_needs_no_network(report: str) -> None:
    assert '<html lang="en">' in report
    assert "<title>What if?</title>" in report
    assert not re.search(r"<(script|link|img|iframe)|url\((?!#)|@import|src=|href=", report)
    charts = re.findall(r'<div role="img" aria-label="([^"]+)">\s*<svg', report)
    assert len(charts) == report.count("<svg") == 1
    assert all(len(words) > 20 for words in charts)
    assert report.count("<th") == report.count('<th scope="col"') + report.count("<thead")
    levels = [int(level) for level in re.findall(r"<h([1-6])", report)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    style = "".join(re.findall(r"<style>(.*?)</style>", report, re.DOTALL))
    colours = set(re.findall(r"(?<![-\w])color:(#[0-9a-f]{6})", style))
    assert len(colours) >= 3
    assert {colour for colour in colours if contrast(colour, "#ffffff") < 4.5} == set()
