"""Codes by words: everyday words lead to their heading, and the range of the duty is that of quotes."""

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

from tariffs.client import Client, import_table
from tariffs.client.cli.__main__ import run
from tariffs.client.errors import InvalidRequest
from tariffs.client.find.goods import find_goods
from tariffs.engine.schedule.lines import load_schedule
from tests.client.conftest import Cli

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


def test_a_search_takes_a_moment(tmp_path: Path) -> None:
    dice = random.Random(33)
    codes = sorted({code for chapter in range(1, 98) for code in load_schedule().children(f"{chapter:02}")})
    words = [word for name in EVERYDAY for word in name.split()]
    texts = [" ".join(dice.choices(words, k=12)) for _ in codes]
    pl.DataFrame({"hts": codes, "text": texts}).write_parquet(tmp_path / "whole.parquet")
    for copy in (None, tmp_path / "whole.parquet"):
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


def test_other_tables_and_questions_are_refused(client: Client, tmp_path: Path) -> None:
    pl.DataFrame({"hts": ["9503000073"]}).write_parquet(tmp_path / "no_text.parquet")
    refusals: dict[str, dict[str, Any]] = {
        "COLUMN_MISSING": {"words": "toys", "schedule": tmp_path / "no_text.parquet"},
        "TABLE_UNREADABLE": {"words": "toys", "schedule": tmp_path / "missing.parquet"},
        "REQUEST_INVALID": {"words": " "},
        "ORIGIN_UNKNOWN": {"words": "toys", "origin": "Atlantis"},
        "PARAMETER_INVALID": {"words": "toys", "limit": 21},
    }
    for reason, given in refusals.items():
        with pytest.raises(InvalidRequest) as refused:
            client.find(**given)
        assert refused.value.reason == reason
    with pytest.raises(InvalidRequest, match="needs an origin"):
        client.find("toys", entry_date=DAY)


def test_the_command_prints_the_contract(
    cli: Cli, schedule: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = cli.json(["find", "smart", "phone", "--origin", "CN", "--date", DAY, "--local", "--json"])
    assert {"candidates", "rates"} <= set(document)
    first = document["candidates"][0]
    assert {"hts", "text", "score", "rate"} <= set(first)
    assert first["hts"] == "8517"
    low, high = document["rates"]
    assert low <= first["rates"][0] <= first["rates"][1] <= high
    assert run(["find", "bananna", "qwertyuiop", "--origin", "CN", "--date", DAY, "--local"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "No text has 'bananna'; searched 'banana'." in text
    assert "No text has 'qwertyuiop'" in text
    assert "Duty on goods of China over these codes" in text
    assert "not a classification" in text
    assert "9503000073" in cli.out(["find", "marbles", "--schedule", str(schedule), "--local", "--top", "1"])
