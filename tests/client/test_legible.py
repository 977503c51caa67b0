"""Charts say what is seen in which unit, reports which law they rest on, and everyone can read both."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import vl_convert

from tariffs.client import Client, Scenario
from tariffs.client.results import charts
from tariffs.client.results.html import STATE_COLOURS
from tariffs.client.results.palette import PALETTE
from tariffs.client.results.path_views import named_events
from tests.client.conftest import Cli, goods, scenario_text

DAYS = [(date(2000, 1, 1) + timedelta(days=place)).isoformat() for place in range(7000)]


def titles(chart: Any) -> list[str]:
    return [chart.title.text, *chart.title.subtitle]


def test_fifteen_bars_and_the_others_have_names_and_numbers() -> None:
    codes = ["CN", "VN", *(f"X{place:02}" for place in range(20))]
    rows = pl.DataFrame({"scenario": "base", "origin": codes, "duty": [2e9, 1.5e9, *([1e8] * 20)]})
    chart = charts.bars(rows, "duty", "origin", "scenario")
    assert titles(chart) == ["Duty by country of origin, USD bn"]
    assert chart.data["label"].to_list()[:2] == ["China", "Vietnam"]
    assert chart.data["label"].to_list()[-1] == "others"
    assert chart.data["written"].to_list()[-1] == "0.70"
    assert chart.data.height == 16
    chart.to_dict()
    band = pl.DataFrame({"scenario": ["a"], "duty_after": [2e9], "low": [1e9], "high": [3e9]})
    assert str(charts.bars(band, "duty_after").to_dict()["layer"]).count("'type': 'rule'") == 1


@pytest.mark.parametrize("second", ["", "vn"])
def test_a_sweep_of_any_size_is_drawn_with_as_many_lines_as_there_are_colours(second: str) -> None:
    places = pl.DataFrame({"place": range(20000)}).select(
        cn=pl.col("place") / 20000, vn=pl.col("place") % 40 / 40
    )
    rows = places.with_columns(duty=pl.col("cn") * 2e9)
    titled = {"cn": "rate on China, percent", "vn": "rate on Vietnam, percent"}
    chart = charts.curves(rows, "duty", "cn", second, titled)
    drawn = chart.to_dict()
    assert titles(chart) == ["Duty by rate on China, USD bn"]
    data = max(drawn["datasets"].values(), key=len)
    assert len(data) <= 5000
    assert len({row["vn"] for row in data}) <= len(PALETTE) or not second
    assert max(row["cn"] for row in data) > 90
    near = pl.DataFrame({"cn": [0.0, 0.5] * 2, "vn": [0.1, 0.1, 0.2, 0.2], "duty": [1e9, 9e9, 1e9, 9.01e9]})
    ends = charts.curves(near, "duty", "cn", "vn").layer[1].data
    high, low = sorted(ends["beside"], reverse=True)
    assert high - low > 0.3
    assert ends["written"].to_list() == ["9.00", "9.01"]


def test_a_timeline_of_any_length_is_drawn_with_its_named_events() -> None:
    duties = [float(place) for place in range(7000)]
    rows = pl.DataFrame({"scenario": "base", "start": DAYS, "end": DAYS, "duty": duties, "duty_owed": duties})
    chart = charts.steps(rows, "duty", {DAYS[100]: "a law ends"})
    assert titles(chart) == ["Duty over the period, USD", "1  a law ends"]
    charts.steps(rows, "duty", {}).to_dict()


def test_a_picture_has_its_text_whatever_fonts_the_machine_has() -> None:
    rows = pl.DataFrame({"scenario": ["ieepa-upheld"], "duty": [1e9]})
    chart = charts.bars(rows, "duty")
    assert "ieepa-upheld" in set(map(str, chart.to_dict()["datasets"].popitem()[1][0].values()))
    sizes = [
        len(vl_convert.vegalite_to_png({**chart.to_dict(), "title": title}))
        for title in ("", "Duty of a year")
    ]
    assert sizes[0] < sizes[1]


def test_named_events_are_a_fortnight_apart_the_largest_first() -> None:
    days = [DAYS[place] for place in (0, 10, 12, 40)]
    rows = pl.DataFrame({"scenario": "base", "start": days, "duty": [1.0, 5.0, 9.5, 12.0]})
    assert list(named_events(rows, {DAYS[12]: ["a law begins"]})) == [DAYS[12], DAYS[40]]
    assert named_events(rows, {DAYS[12]: ["a law begins"]})[DAYS[12]] == f"{DAYS[12]}: a law begins"


def test_colours_can_be_read() -> None:
    for colour in (*PALETTE, *STATE_COLOURS.values()):
        assert contrast(colour, "#ffffff") >= 4.5, colour


# Machado, Oliveira and Fernandes (2009), severity 1, on linear sRGB.
SEEN = {
    "all": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "no red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "no green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "no blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}  # fmt: skip
TO_XYZ = ((0.4339, 0.3762, 0.1899), (0.2126, 0.7152, 0.0722), (0.0177, 0.1095, 0.8729))
Triple = tuple[float, ...]


def linear(colour: str) -> Triple:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return tuple(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)


def contrast(first: str, second: str) -> float:
    luminances = (times(TO_XYZ, linear(colour))[1] for colour in (first, second))
    light, dark = sorted(luminances, reverse=True)
    return (light + 0.05) / (dark + 0.05)


def times(matrix: tuple[Triple, ...], values: Triple) -> Triple:
    return tuple(sum(one * value for one, value in zip(row, values, strict=True)) for row in matrix)


def lab(values: Triple) -> Triple:
    white = times(TO_XYZ, tuple(min(max(value, 0.0), 1.0) for value in values))
    x, y, z = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in white)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("eyes", SEEN)
def test_series_are_told_apart(eyes: str) -> None:
    seen = [lab(times(SEEN[eyes], linear(colour))) for colour in PALETTE]
    apart = (sum((a - b) ** 2 for a, b in zip(*pair, strict=True)) ** 0.5 for pair in combinations(seen, 2))
    assert min(apart) > 20


SCENARIOS = ["base", "ieepa-upheld-truce-lapsed"]
LINES = goods(("9503000073", "CN", 1000.0), ("8471300100", "VN", 2000.0), ("7208100000", "CA", 500.0))


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
    change = "op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2026-12-01, rate: 5%"
    own = Scenario.from_text(scenario_text(change))
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


@pytest.mark.parametrize("words", ["impact --on 2026-11-20", "impact --on 2027-02-01 --both"])
def test_the_command_line_writes_the_law_into_reports(words: str, cli: Cli) -> None:
    cli.out(f"{words} -s base -s canada-settles --response none -o out.html --local --brief")
    text = text_of(Path("out.html").read_text(encoding="utf-8"))
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
