"""Find codes of goods by words, show the law measure by measure, and run under laws that calls name or bring."""

from __future__ import annotations

import json
import random
import timeit
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest, NotFound, TariffsError, import_table
from tariffs.client._verbs.replay import replay
from tariffs.client._wire.requests import name_law, with_law
from tariffs.client.cli.app import run
from tariffs.client.find.goods import find_goods
from tariffs.engine.law import load_law
from tariffs.engine.schedule.lines import load_schedule
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.run_options import LocalInputs
from tariffs.service.rpc.spread_runs import Job
from tariffs.v1 import simulation_service_pb2 as pb
from tests.client.conftest import Cli, goods, refuses
from tests.client.fakes import fake_server
from tests.law.packs import CHARGED, EXEMPT, NEWER, TOYS, law_copy

LINES = goods((TOYS["hts"], "CN", 10_000.0))


def test_every_measure_of_the_law_is_shown_with_its_rows_periods_and_acts(client: Client) -> None:
    law = load_law()
    for name, measure in law.measures.items():
        found = client.measure(name)
        assert found.switches == measure.switch
        for period, shown in zip(measure.periods, found.periods, strict=True):
            known = period.known_from.isoformat() if period.known_from else ""
            assert (shown.known_from, shown.confidence, shown.switches) == (known, period.conf, period.switch)
            days = [row.known_from.isoformat() if row.known_from else "" for row in period.rows]
            assert [row.known_from for row in shown.rows] == days
            assert [row.label for row in shown.rows] == [row.label for row in period.rows]
            assert all(row.charge and row.goods and row.base for row in shown.rows)
            percents = {f"{(row.rate * 100).normalize():f}%" for row in period.rows if row.rate}
            assert percents <= {word for row in shown.rows for word in row.charge.split()}, name
        for act, event in zip(law.acts[name], found.events, strict=True):
            change = act.change
            facts = (event.confidence, event.switches, event.heading)
            assert facts == (change.conf, change.switch, change.heading)
            assert event.known_from == (act.known_from.isoformat() if act.known_from else "")
            assert bool(event.goods) == (not act.scope.is_any)
            assert event.conditions == " and ".join(condition.text for condition in act.conditions)


def test_the_codes_of_a_measure_are_paged_to_their_end(client: Client) -> None:
    found = first = client.measure_codes("fl301", page_size=1000)
    codes = [*first.codes]
    while found.next_page_token:
        found = client.measure_codes("fl301", page_size=1000, page_token=found.next_page_token)
        codes += found.codes
    assert len({*codes}) == len(codes) == first.total_size > 8000
    assert {one.list for one in codes} - {""} == {one.id for one in client.measure("fl301").lists}
    for page_token, hts in (("x", ""), ("-1", ""), ("", "x")):
        with pytest.raises(InvalidRequest):
            client.measure_codes("fl301", page_token=page_token, hts=hts)


def test_the_command_line_prints_what_a_measure_has(cli: Cli, client: Client) -> None:
    (claim,) = (one for one in client.law().claims if one.id == "not_listed_share")
    said = {
        "s301_l3": ["25% CN of S301_L3 without S301_L3_04", "product lists: S301_L3 ("],
        "recip": [
            "published 2025-04-02, confidence A",
            "for ANNEX_II_ELECTRONICS without CA_MX, COLUMN2 under heading 9903.01.32",
        ],
        "s232_IA": ["confidence A, only if switch uk_metals is lower_rate", "2026-05-28"],
        "cn.recip": ["export to CN"],
        "s232_cabinets": [f"not_listed_share: {claim.text}"],
    }
    for name, texts in said.items():
        shown = " ".join(cli.out(f"law show {name} --local").split())
        assert [text for text in texts if text not in shown] == []
    assert "usmca_share:" not in cli.out("law show s232_cabinets --local")
    assert cli.json("law show s301_l3 --local")["periods"][0]["rows"][0]["charge"] == "10%"


def test_a_measure_on_exports_names_the_country_that_charges_it(client: Client, cli: Cli) -> None:
    measures = load_law().measures
    shown = {one.id: one.destination for one in client.measures()}
    assert shown == {name: one.market if one.direction == "export" else "" for name, one in measures.items()}
    assert {shown["cn.recip"], shown["recip_cn"]} == {"CN", ""}
    assert {one["id"]: one["destination"] for one in cli.json("law measures")["measures"]} == shown
    assert "are of all goods" in cli.out("law codes fl301 --hts 9503")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return law_copy(tmp_path_factory.mktemp("law") / "law")


def assessed(client: Client, law_version: str = "") -> tuple[str, str]:
    quote = client.duty(TOYS["hts"], "CN", TOYS["entry"], 10_000, law_version=law_version)
    return f"{quote.assessed:.2f}", str(quote.provenance["law_version"])


def test_a_client_computes_under_a_law_of_its_own_until_it_is_closed(folder: Path) -> None:
    own = load_law().version
    with Client.local() as plain, Client.local(law=folder) as client:
        assert assessed(client, own) == assessed(plain) == (CHARGED, own)
        assert [one.version for one in client.law_versions()] == [NEWER, own]
        assert client.law().version == client.law(law_version="latest").version == NEWER
        exact = client.law_versions()[0].exact
        for name in ("", "latest", NEWER, exact):
            assert assessed(client, name) == (EXEMPT, NEWER)
        assert plain.impact(LINES, response="none", law_version=exact).total["duty"].item() == 0.0
        # A task elsewhere gets the law with its job.
        job = Job.read(Job.of("simulate", pb.SimulateRequest(law_version=exact), LocalInputs()).written())
        assert LAWS.take(exact, job.law).version == NEWER
        assert Job.of("simulate", pb.SimulateRequest(), LocalInputs()).law == b""
        written = Path("result.json")
        LINES.write_csv("lines.csv")
        impact = client.impact("lines.csv", response="none")
        assert (impact.total["duty"].item(), impact.provenance["law_version"]) == (0.0, NEWER)
        written.write_text(json.dumps(impact.to_json_dict(), default=str), encoding="utf-8")
        again = replay(plain, written)
        assert (again.same, again.changed) == (True, ())
        digest = client.law().digest
    with Client.local() as plain:
        with refuses("LAW_VERSION_NOT_FOUND", "law_version", kind=NotFound):
            assessed(plain, NEWER)
        # The law may still be in memory; one that never was is not found.
        written.write_text(written.read_text(encoding="utf-8").replace(digest, "0" * 64), encoding="utf-8")
        with pytest.raises(NotFound, match="was made under the law"):
            replay(plain, written)


def test_the_law_comes_from_argument_client_or_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARIFFS_LAW_VERSION", "3.3.3.3")
    with fake_server() as server:
        for client, argument, wanted in (
            (Client(server.target), "", "3.3.3.3"),
            (Client(server.target, law_version="2.2.2.2"), "", "2.2.2.2"),
            (Client(server.target, law_version="2.2.2.2"), "latest", "latest"),
        ):
            with client, pytest.raises(TariffsError):  # the server answers nothing
                client.duty(TOYS["hts"], "CN", TOYS["entry"], 1, law_version=argument)
            assert server.requests[-1].law_version == wanted
    started = pb.StartRunRequest(timeline=pb.TimelineRequest())
    for version in ("2.2.2.2", "3.3.3.3"):
        name_law(started, version)
        assert started.timeline.law_version == "2.2.2.2"
    sent = [pb.SimulateLinesRequest(config={}), pb.SimulateLinesRequest(arrow=b"x")]
    first, second = with_law(iter(sent), "2.2.2.2")
    assert (first.config.law_version, second.arrow) == ("2.2.2.2", b"x")


def test_the_command_line_names_versions_packs_and_folders(folder: Path, cli: Cli) -> None:
    own = load_law().version
    assert cli.json(f"law build {folder} -o law.tar.zst")["version"] == NEWER
    quote = f"duty {TOYS['hts']} --origin CN --value 10000 --local --law-version"
    for name, wanted in (("law.tar.zst", EXEMPT), (str(folder), EXEMPT), (own, CHARGED)):
        assert float(cli.json(f"{quote} {name}")["assessed"]) == float(wanted)
    with pytest.raises(NotFound, match=r"no law '1999\.01\.01\.1'"):
        run(f"{quote} 1999.01.01.1".split())
    (found,) = cli.json("law versions --local")["versions"]
    assert (found["version"], found["is_default"], found["state"]) == (own, True, "served")


DAY = "2026-11-24"
MOST_SECONDS = 0.02
# Words of people who do not know the schedule, some of them misspelt, with a heading that a broker would look into.
EVERYDAY = {
    "smartphone": "8517", "sneakers": "6404", "cotton t shirts": "6109", "blue jeans": "6203", "lap top": "8471",
    "electric car": "8703", "solar panels": "8541", "plush bear": "9503", "coffee beans": "0901", "red wine": "2204",
    "bananna": "0803", "salmon fillets": "0304", "frozen shrimp": "0306", "olive oil": "1509", "dog food": "2309",
    "protein bars": "2106", "aspirin tablets": "3004", "shampoo": "3305", "lip stick": "3304",
    "scented candles": "3406",
    "garbage bags": "3923", "phone case": "3926", "car tires": "4011", "leather handbag": "4202", "plywood": "4412",
    "cardboard boxes": "4819", "toilet paper": "4818", "childrens coloring book": "4903", "denim": "5209",
    "area rug": "5702", "hoodie": "6110", "wedding dress": "6204", "wool socks": "6115", "bath towels": "6302",
    "camping tent": "6306", "beach umbrella": "6601", "baseball cap": "6505", "ceramic tile": "6907",
    "coffee mug": "6912", "wine glasses": "7013", "engagement ring": "7113", "rebar": "7214",
    "screws and bolts": "7318",
    "frying pan": "7323", "aluminium foil": "7607", "kitchen knife": "8211", "air conditioner": "8415",
    "washing machine": "8450", "lithium ion battery": "8507", "hedphones": "8518", "flat screen TV": "8528",
    "computer chips": "8542", "USB charging cable": "8544", "pickup truck": "8704", "e-bike": "8711", "drone": "8806",
    "sunglasses": "9004", "office chair": "9401", "game console": "9504", "toothbrush": "9603",
}  # fmt: skip


@pytest.fixture(scope="module")
def schedule(tmp_path_factory: pytest.TempPathFactory) -> Path:
    export = [
        ("9503.00.00", "0", "Playthings of every kind:"),
        ("", "1", "For children"),
        ("9503.00.00.73", "2", "Marbles of <i>glass</i>"),
        ("9503.00.00.90", "2", "Other"),
        ("8517.13.00", "0", "Handsets that compute"),
        ("8517.13.00.00", "1", ""),
        ("6199.10.00", "0", "Cloaks that no schedule has"),
    ]
    folder = tmp_path_factory.mktemp("schedule")
    names = ("htsno", "indent", "description")
    rows: list[dict[str, object]] = [
        dict(zip(names, row, strict=True)) | {"general": row[0] and "Free", "units": []} for row in export
    ]
    (folder / "hts.json").write_text(json.dumps(rows), encoding="utf-8")
    import_table("hts", [folder / "hts.json"]).frame.write_parquet(folder / "schedule.parquet")
    return folder / "schedule.parquet"


def test_everyday_words_lead_to_their_heading() -> None:
    found = {words: [one.hts for one in find_goods(words, 5).found] for words in EVERYDAY}
    assert len(EVERYDAY) == 60
    assert {words: codes for words, codes in found.items() if EVERYDAY[words] not in codes} == {}


def test_a_search_takes_a_moment() -> None:
    dice = random.Random(33)
    codes = sorted({code for chapter in range(1, 98) for code in load_schedule().children(f"{chapter:02}")})
    words = [word for name in EVERYDAY for word in name.split()]
    texts = [" ".join(dice.choices(words, k=12)) for _ in codes]
    pl.DataFrame({"hts": codes, "text": texts}).write_parquet("whole.parquet")
    for copy in (None, Path("whole.parquet")):
        asked = partial(find_goods, "snekers of leathr with a USB charging cable", 5, copy)
        assert min(timeit.repeat(asked, repeat=6, number=1)) < MOST_SECONDS


@pytest.mark.parametrize("origin", ["CN", "MX"])
def test_the_range_is_that_of_quotes(client: Client, origin: str) -> None:
    result = client.find("game console", origin=origin, entry_date=DAY, limit=3)
    assert result.candidates[0].hts == "9504"
    for one in result.candidates:
        quotes, refused = [], 0
        for code in load_schedule().children(one.hts):
            try:
                quotes.append(client.duty(code, origin, DAY, 1_000_000))
            except InvalidRequest:
                refused += 1
        assert one.covers == len(quotes) + refused
        assert refused == sum((one.refused or {}).values())
        assert one.low == min(quote.min for quote in quotes) / 1_000_000
        assert one.high == max(quote.max for quote in quotes) / 1_000_000
        layers = [layer for quote in quotes for layer in quote.layers if layer.max]
        assert set(one.citations) == {text for layer in layers for text in layer.citations}
        assert set(one.facts) == {fact for quote in quotes for fact in quote.missing_claims}
    assert result.rates == (
        min(one.low for one in result.candidates if one.low is not None),
        max(one.high for one in result.candidates if one.high is not None),
    )
    assert result.provenance is not None


def test_words_and_facts_separate_candidates_and_spelling_is_corrected(client: Client) -> None:
    result = client.find("T-shirt", origin="MX", entry_date=DAY)
    first = result.candidates[0]
    assert (first.hts, first.rate) == ("6109", None)
    assert "usmca_share" in first.facts
    # Free if claimed, the ordinary rate and more if not.
    assert first.low == 0
    assert first.high is not None
    assert first.high >= Decimal("0.32")
    shoes = {one.hts: one for one in client.find("sneakers").candidates}
    words = [shoes[code].words for code in ("6402", "6403", "6404")]
    assert words == [("plastic",), ("leather",), ("textile",)]
    assert (shoes["6404"].matched, shoes["6404"].low) == ("sneakers", None)
    result = client.find("bananna frobnicator")
    assert (result.candidates[0].hts, result.corrected) == ("0803", {"bananna": "banana"})
    assert result.unknown == ("frobnicator",)
    nothing = client.find("frobnicator", origin="CN")
    assert (nothing.candidates, nothing.rates, nothing.provenance) == ((), None, None)
    assert nothing.frame.is_empty()
    assert client.find("machinery of chapters").candidates[0].hts == "84"


def test_the_schedule_of_the_user_gives_codes_of_ten_digits(client: Client, schedule: Path) -> None:
    assert "no texts of 8 or 10 digits" in client.find("marbles").searched
    result = client.find("glass marbles", schedule=schedule, origin="CN", entry_date=DAY)
    first = result.candidates[0]
    assert first.hts == "9503000073"
    assert first.text == "Playthings of every kind > For children > Marbles of glass"
    assert first.rate == client.duty(first.hts, "CN", DAY, 10_000).assessed / 10_000
    assert "texts of 4 codes in schedule.parquet" in result.searched
    # Words that people use reach the lines below their heading.
    assert client.find("smartphone", schedule=schedule).candidates[0].hts == "8517130000"
    # A code that the schedule of the server lacks says so beside those that it has.
    cloaks = client.find("cloaks marbles", schedule=schedule, origin="CN").candidates
    assert {one.hts: one.problem and one.problem.reason for one in cloaks} == {
        "61991000": "HTS_CODE_UNKNOWN", "9503000073": None,
    }  # fmt: skip


def test_other_tables_and_questions_are_refused(client: Client) -> None:
    pl.DataFrame({"hts": ["9503000073"]}).write_parquet("no_text.parquet")
    refusals: dict[str, dict[str, Any]] = {
        "COLUMN_MISSING": {"words": "toys", "schedule": Path("no_text.parquet")},
        "TABLE_UNREADABLE": {"words": "toys", "schedule": Path("missing.parquet")},
        "REQUEST_INVALID": {"words": " "},
        "ORIGIN_UNKNOWN": {"words": "toys", "origin": "Atlantis"},
        "PARAMETER_INVALID": {"words": "toys", "limit": 21},
    }
    for reason, given in refusals.items():
        with refuses(reason):
            client.find(**given)
    with pytest.raises(InvalidRequest, match="needs an origin"):
        client.find("toys", entry_date=DAY)


def test_the_command_prints_the_contract(cli: Cli, schedule: Path) -> None:
    document = cli.json(f"find smart phone --origin CN --date {DAY} --local")
    assert {"candidates", "rates"} <= set(document)
    first = document["candidates"][0]
    assert {"hts", "text", "score", "rate"} <= set(first)
    assert first["hts"] == "8517"
    low, high = document["rates"]
    assert low <= first["rates"][0] <= first["rates"][1] <= high
    text = " ".join(cli.out(f"find bananna qwertyuiop --origin CN --date {DAY} --local").split())
    assert "No text has 'bananna'; searched 'banana'." in text
    assert "No text has 'qwertyuiop'" in text
    assert "Duty on goods of China over these codes" in text
    assert "not a classification" in text
    assert "9503000073" in cli.out(f"find marbles --schedule {schedule} --local --top 1")
