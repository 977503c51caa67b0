"""Numbers, shares and units as people write them: single lines and columns read them alike, or refuse them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from tariffs.client import Client
from tariffs.engine.base.amounts import parse_number, parse_share
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.rating.facts import read_claims
from tariffs.engine.schedule.units import find_unit, known_unit, units
from tariffs.engine.tables.read_columns import number_of, read_claim_code, share_of

NUMBERS = {
    "1234.5": "1234.5", "1,234.50": "1234.5", "$12": "12", " 7 ": "7", "1e3": "1000", ".5": "0.5", "5.": "5",
    "USD 57,159.28": "57159.28", "US$1,000": "1000", "12 usd": "12",
}  # fmt: skip
NO_NUMBERS = ("12,34", "abc", "nan", "inf", "\u0661\u0662", "", "$", "1 000", "1_000", "--1", "1.234,50")
NO_SHARES = ("%", "yes%", "0,5", "half", "nan", "1_0", "5%%", "$0.5")


@pytest.mark.parametrize(("text", "value"), NUMBERS.items())
def test_numbers_are_read_on_lines_and_in_columns(text: str, value: str) -> None:
    assert parse_number(text) == Decimal(value)
    assert number_of(pl.Series("x", [text])).to_list() == [float(value)]


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_number_is_refused_on_lines_and_in_columns(text: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        parse_number(text)
    assert not number_of(pl.Series("x", [text])).is_finite().fill_null(value=False).any()
    with pytest.raises(InputError) as caught:
        quote_line(load_law(), line_of("customs_value", text))
    assert (caught.value.reason, caught.value.field) == ("CUSTOMS_VALUE_INVALID", "customs_value")
    assert caught.value.fix


@pytest.mark.parametrize("text", NO_SHARES)
def test_what_is_no_share_is_refused_and_never_taken_as_undeclared(text: str) -> None:
    with pytest.raises(ValueError, match="not a share"):
        parse_share(text)
    assert share_of(pl.Series("x", [text])).is_nan().to_list() == [True]
    with pytest.raises(InputError) as caught:
        read_claims(load_law().claims, {"usmca_share": text}, ZoneInfo("America/New_York"))
    assert (caught.value.reason, caught.value.field) == ("CLAIM_INVALID", "claims.usmca_share")


LONE = ("1,000", "USD 12,500", "$1,000", "0,500", "999,999 usd", " 1,000 ")
NO_LONE = ("1000", "1,000.00", "1,000,000", "1.000", "1e3", "12,500.", ".5")


def line_of(name: str, text: Any) -> EntryLine:
    given: dict[str, Any] = {"value": "10", "entry": "2025-05-14", "quantity": 1, "unit": "No"}
    if name == "processing_value":
        return EntryLine("9503.00.0073", "CN", **given, claims={name: text})
    return EntryLine("9503.00.0073", "CN", **(given | {{"customs_value": "value"}.get(name, name): text}))


@pytest.mark.parametrize("name", ["customs_value", "quantity", "freight", "insurance"])
def test_a_comma_that_could_be_a_decimal_one_carries_a_note(name: str) -> None:
    for text in (*LONE, *NO_LONE):
        notes = [
            one for one in quote_line(load_law(), line_of(name, text)).notes if one.reason == "COMMA_READ"
        ]
        assert len(notes) == (text in LONE), text
        for note in notes:
            assert note.message.startswith(f"{name}: {text.strip()!r} was read as {parse_number(text)};")


def commas(notes: Iterable[Any]) -> list[str]:
    return [one.message for one in notes if one.reason == "COMMA_READ"]


def test_the_note_on_a_comma_reaches_every_verb() -> None:
    frame = pl.DataFrame(
        {"hts": ["9503000073"] * 3, "origin": ["CN"] * 3, "customs_value": ["1,000", "2,500", "7"]}
    )
    with Client.local() as client:
        for given in ({}, {"direction": "export", "to": "CN"}):
            quote = client.duty("9503.00.0073", "US" if given else "CN", "2025-05-14", "1,000", **given)  # type: ignore[arg-type]
            assert commas(quote.notes) == [
                "customs_value: '1,000' was read as 1000; the comma separates thousands."
            ]
        claims = {"chapter98": "9802.00.60", "processing_value": "1,500"}
        quote = client.duty("8471.30.0100", "CN", "2025-05-14", 10000, claims)
        assert "'1,500'" in commas(quote.notes)[0]
        lines = client.duties(frame.with_columns(entry_date=pl.lit("2025-05-14"))).lines
        assert ["COMMA_READ" in " ".join(one) for one in lines["notes"].to_list()] == [True, True, False]
        assert commas(client.impact(frame, response="none").notes) == [
            "2 times, first: customs_value: '1,000' was read as 1000; the comma separates thousands."
        ]
        # Another cell of the column shows what its commas are.
        for shown in ("1,250.50", "1,000,000"):
            more = pl.concat([frame, frame.head(1).with_columns(customs_value=pl.lit(shown))])
            assert commas(client.impact(more, response="none").notes) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("customs_value", "CUSTOMS_VALUE_INVALID"),
        ("quantity", "QUANTITY_INVALID"),
        ("freight", "CHARGE_INVALID"),
        ("insurance", "CHARGE_INVALID"),
        ("processing_value", "CLAIM_INVALID"),
    ],
)
def test_amounts_too_large_are_refused_in_tables_as_on_lines(client: Client, name: str, reason: str) -> None:
    values: list[Any] = [1e15, float("inf"), "1,000,000,000,000,000"]
    row = {"hts": "9503000073", "origin": "CN", "customs_value": "10", "entry_date": "2025-05-14"}
    good = 999_999_999_999_999 if name != "processing_value" else 10
    rows = [row | {name: str(value)} for value in (*values, good)]
    refused = client.impact(pl.DataFrame(rows), response="none").refused
    assert refused.select("row", "column", "reason").rows() == [(place, name, reason) for place in range(3)]
    assert all("10^15" in text for text in refused["message"])
    for value in values:
        with pytest.raises(InputError) as caught:
            quote_line(load_law(), line_of(name, value))
        assert caught.value.reason == reason


@dataclass(frozen=True)
class Plain:
    """A number or share read letter by letter: slow, and without the expressions of the readers."""

    text: str

    def number(self) -> Decimal | None:
        """The number, or None if the text is none."""
        text = self.text.strip()
        sign = -1 if text[:1] == "-" else 1
        text = text[1:] if text[:1] in ("+", "-") else text
        text = text[1:] if text[:1] == "$" else text
        found = self._digits(text)
        return None if found is None else sign * found

    def share(self) -> Decimal | None:
        """The share, or None if the text is none."""
        text = self.text.strip()
        word = {"yes": 1, "true": 1, "no": 0, "false": 0}.get(text.lower())
        if word is not None:
            return Decimal(word)
        if "$" in text or "," in text:
            return None
        percent = text.endswith("%")
        bare = text[:-1].removesuffix(" ") if percent else text
        found = Plain(bare).number() if bare == bare.strip() else None
        return None if found is None else found / 100 if percent else found

    @staticmethod
    def _digits(text: str) -> Decimal | None:
        base, letter, power = text.replace("E", "e").partition("e")
        exponent = power[1:] if power[:1] in ("+", "-") else power
        if letter and not (1 <= len(exponent) <= 2 and all(c in "0123456789" for c in exponent)):
            return None
        whole, _, fraction = base.partition(".")
        groups = whole.split(",")
        if len(groups) > 1:
            grouped = 1 <= len(groups[0]) <= 3 and all(len(one) == 3 for one in groups[1:])
            if not grouped or letter:
                return None
        digits = "".join(groups)
        if not (digits or fraction) or any(c not in "0123456789" for c in digits + fraction):
            return None
        return Decimal(f"{digits or 0}.{fraction or 0}").scaleb(int(power) if letter else 0)


def random_text(rng: random.Random) -> str:
    """A number or share as somebody may have typed it, sometimes damaged."""
    number = rng.choice((rng.randrange(10), rng.randrange(10**7), rng.random(), rng.random() * 10**5))
    text = rng.choice((f"{number:,}", f"{number}", f"{number:.2f}", f"{number:e}", "yes", "No", "true"))
    text = rng.choice(("", "", "", "$", "-", "+", " ")) + text + rng.choice(("", "", "", "%", " %", " "))
    if rng.random() < 0.4:
        place = rng.randrange(len(text) + 1)
        text = (
            text[:place] + rng.choice("0123456789.,$%+-_e x\u0663\u00a0") + text[place + rng.randrange(2) :]
        )
    return text


def test_no_text_is_read_as_another_number_or_share(scale: int) -> None:
    rng = random.Random(13)
    texts = [random_text(rng) for _ in range(500 * scale)]
    for name, column, read, plain in (
        ("number", number_of(pl.Series("x", texts)), parse_number, [Plain(text).number() for text in texts]),
        ("share", share_of(pl.Series("x", texts)), parse_share, [Plain(text).share() for text in texts]),
    ):
        assert sum(value is not None for value in plain) > len(texts) / 4
        for text, found, wanted in zip(texts, column, plain, strict=True):
            single = None
            with suppress(ValueError):
                single = read(text)
            assert single == wanted, (name, text)
            if wanted is not None:
                assert found == pytest.approx(float(wanted), rel=1e-12), (name, text)
            else:
                # Blanks of other alphabets are stripped from columns: then the text is no other number.
                assert found is None or found != found or text.strip() != text, (name, text)


def test_no_text_is_read_as_another_unit(scale: int) -> None:
    rng = random.Random(17)
    names = sorted(units())
    for _ in range(500 * scale):
        text = rng.choice(names)
        if rng.random() < 0.5:
            place = rng.randrange(len(text) + 1)
            text = text[:place] + rng.choice("aZ0. -\u0663") + text[place + rng.randrange(2) :]
        text = rng.choice((text, text.upper(), f" {text} "))
        spelled = {name for name in names if name.lower() == " ".join(text.split()).lower()}
        found = find_unit(text)
        if found is None:
            # Unknown, or letter case alone tells several units apart.
            assert len({units()[name] for name in spelled}) != 1, text
            with pytest.raises(InputError, match="not a unit") as caught:
                known_unit(text)
            assert caught.value.fix
        else:
            assert found in {units()[name] for name in spelled}, text


@pytest.mark.parametrize(
    ("given", "on_lines", "in_tables"),
    [
        ("9802.00.5060", "9802.00.50", "98020050"),
        ("9802.00.50.60", "9802.00.50", "98020050"),
        ("9802005060", "9802.00.50", "98020050"),
        ("9802.00.50", "9802.00.50", "98020050"),
        ("98020050", "98020050", "98020050"),
        ("ru", "RU", "RU"),
    ],
)
def test_a_number_with_a_statistical_suffix_is_its_subheading(
    given: str, on_lines: str, in_tables: str
) -> None:
    read = read_claims(load_law().claims, {"chapter98": given}, ZoneInfo("America/New_York"))
    assert read == {"chapter98": on_lines}
    assert read_claim_code(given).value == in_tables
