"""Entries of several lines: fees once per entry, spread to the cent; totals are sums of rounded lines."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.errors import InputError, ServiceError
from tariffs.engine.law import load_law
from tariffs.engine.law.values import UnitRate
from tariffs.engine.line_duty.entries import UnreadLine
from tariffs.engine.line_duty.entry_dates import unread_of
from tariffs.engine.line_duty.entry_line import OtherCharge
from tariffs.engine.line_duty.fees import prorate
from tariffs.engine.line_duty.quote import EntryLine, Quote, quote_line
from tests.unit.collected_entries import Collected, collect

CENT = Decimal("0.01")
DATA = Path(__file__).parents[2] / "engine/tariffs/engine/law/data"
FREE: dict[str, Any] = {"hts": "8471.30.0100", "origin": "TW"}


def line(**changed: Any) -> EntryLine:
    """A laptop of Taiwan by sea, changed as given."""
    values = {**FREE, "value": 10_000, "entry": "2026-11-24", "mode": "ocean"} | changed
    return EntryLine(**values)


def rate(*lines: EntryLine | UnreadLine) -> Collected:
    return collect(load_law(), lines)


def quotes(result: Collected) -> list[Quote]:
    return [one for one in result.outcomes if isinstance(one, Quote)]


def money(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


@pytest.mark.parametrize(
    ("value", "mpf", "hmf"),
    [
        ("2500", "2.77", "3.13"),
        ("2500.01", "34.58", "3.13"),
        ("9982", "34.58", "12.48"),
        ("9983", "34.58", "12.48"),
        ("9984", "34.58", "12.48"),
        ("50000", "173.20", "62.50"),
        ("193666", "670.86", "242.08"),
        ("250000", "670.86", "312.50"),
        ("0", "0.00", "0.00"),
    ],
)
def test_fees_of_fiscal_year_2027_by_value(value: str, mpf: str, hmf: str) -> None:
    landed = quote_line(load_law(), line(value=value)).landed
    assert [landed.mpf, landed.hmf] == money(mpf, hmf)


@pytest.mark.parametrize(
    ("day", "least", "most", "informal"),
    [
        ("2025-09-30", "32.71", "634.62", "2.62"),
        ("2025-10-01", "33.58", "651.50", "2.69"),
        ("2026-09-30", "33.58", "651.50", "2.69"),
        ("2026-10-01", "34.58", "670.86", "2.77"),
    ],
)
def test_the_bounds_of_the_processing_fee_change_with_the_fiscal_year(
    day: str, least: str, most: str, informal: str
) -> None:
    found = [
        quote_line(load_law(), line(value=value, entry=day)).landed.mpf for value in (3000, 900_000, 100)
    ]
    assert found == money(least, most, informal)


def test_a_worked_landed_cost() -> None:
    bag = line(hts="4202.92.3120", origin="CN", freight=900, insurance=40)
    landed = quote_line(load_law(), bag).landed
    assert landed.as_dict() == {
        "customs_value": 10_000, "freight": 900, "insurance": 40, "duty": Decimal("5510.00"), "mpf": Decimal("34.64"),
        "hmf": Decimal("12.50"), "adcvd": 0, "excise": 0, "other": 0, "total": Decimal("16497.14"),
    }  # fmt: skip


def test_totals_are_sums_of_rounded_lines_and_never_a_rate_on_the_total() -> None:
    bag = {"hts": "4202.92.3120", "origin": "CN", "entry_id": "A"}
    result = rate(line(value=101, **bag), line(value=101, **bag))
    # 17.6 % and 12.5 % of 101 are 17.776 and 12.625; of 202 they are 35.552 and 25.25.
    assert [one.assessed for one in quotes(result)] == money("55.66", "55.66")
    (entry,) = result.entries
    assert entry.assessed == entry.landed.duty == Decimal("111.32")
    together = quote_line(load_law(), line(value=202, hts=bag["hts"], origin="CN"))
    assert together.assessed == Decimal("111.30")


def test_fees_are_of_the_entry_and_its_lines_sum_to_them() -> None:
    result = rate(*(line(entry_id="A", value=value) for value in (1000, 1000, 1000)))
    (entry,) = result.entries
    assert not entry.informal
    assert [entry.landed.mpf, entry.landed.hmf] == money("34.58", "3.75")
    assert [one.landed.mpf for one in quotes(result)] == money("11.53", "11.53", "11.52")
    assert [one.landed.hmf for one in quotes(result)] == money("1.25", "1.25", "1.25")
    apart = rate(*(line(value=1000) for _ in range(3)))
    assert [entry.landed.mpf for entry in apart.entries] == money("2.77", "2.77", "2.77")


def test_the_harbor_fee_is_rounded_once_for_the_entry_and_by_sea_only() -> None:
    sea = line(entry_id="A", value=1003)
    result = rate(sea, sea, line(entry_id="A", value=5000, mode="air"))
    (entry,) = result.entries
    assert entry.landed.hmf == Decimal(
        "2.51"
    )  # 0.125 % of 2,006 is 2.5075; line by line it would be 2 x 1.25
    assert [one.landed.hmf for one in quotes(result)] == money("1.26", "1.25", "0.00")


ROBOT, PART, LAPTOP = "8479.50.0000", "8708.29.5160", FREE["hts"]
FREE_ORIGINS, OTHERS = ("IL", "JM", "BB", "HT", "KH", "LS", "MG", "ZM"), ("KE", "ZA", "JO", "EG", "BD")
REPAIRED, AT_HOME = {"chapter98": "98020050", "processing_value": 20_000}, {"chapter98": "9801.00.10"}


@pytest.mark.parametrize(
    ("hts", "origin", "claims", "fee"),
    [
        # 19 CFR 24.23(c)(1)(iii), (iv) and (5); CBP's table: of Africa's program the least developed alone are free.
        *(
            (ROBOT, origin, claims, "0.00")
            for origin in FREE_ORIGINS
            for claims in ({}, {"fta_share": "0.5"})
        ),
        *((ROBOT, origin, claims, "69.28") for origin in OTHERS for claims in ({}, {"fta_share": 1})),
        # A program frees from the fee only where it says so and for its own origins, and a whole line alone.
        (ROBOT, "KR", {"fta_share": 1}, "0.00"),
        *((ROBOT, origin, {"fta_share": 1}, "69.28") for origin in ("JP", "DE", "MA")),
        (PART, "MX", {"usmca_share": 1}, "0.00"),
        (PART, "MX", {"usmca_share": "0.5"}, "69.28"),
        (LAPTOP, "TW", AT_HOME, "0.00"),
        (LAPTOP, "TW", REPAIRED, "0.00"),
        (LAPTOP, "TW", {**REPAIRED, "chapter98": "9802.00.80"}, "69.28"),
    ],
)
def test_what_is_free_of_the_processing_fee(hts: str, origin: str, claims: dict[str, Any], fee: str) -> None:
    goods = line(hts=hts, origin=origin, value=50_000 if "chapter98" in claims else 20_000, claims=claims)
    assert quote_line(load_law(), goods).landed.mpf == Decimal(fee)


def test_exempt_origins_leave_the_fee_of_the_other_lines_of_the_entry() -> None:
    free = line(entry_id="A", hts="8479.50.0000", origin="IL", value=20_000)
    result = rate(free, line(entry_id="A", value=20_000))
    assert [one.landed.mpf for one in quotes(result)] == money("0.00", "69.28")
    assert [one.landed.hmf for one in quotes(result)] == money("25.00", "25.00")


def test_every_processing_fee_and_exemption_has_a_source() -> None:
    fees = yaml.safe_load((DATA / "fees.yaml").read_text(encoding="utf-8"))
    parts = [*fees["mpf"], *fees["mpf_exempt"], *fees["mpf_chapter98"], *fees["hmf"]]
    assert [part for part in parts if not part.get("cite") or part["conf"] not in "AB"] == []


def test_other_charges_are_in_the_landed_cost_and_in_no_base() -> None:
    goods: dict[str, Any] = {"value": 50_000, "quantity": 10, "unit": "no"}
    charges = [
        OtherCharge("adcvd", rate="0.21634"),
        OtherCharge("adcvd", rate="0.10001", label="C-570-001"),
        OtherCharge("excise", per_unit=UnitRate(Decimal("1.335"), "doz")),
        OtherCharge("other", amount="250"),
    ]
    plain, charged = (quote_line(load_law(), line(**goods, other_charges=some)) for some in ((), charges))
    assert charged.layers == plain.layers
    assert (charged.assessed, charged.landed.mpf) == (plain.assessed, plain.landed.mpf)
    assert [charge.amount for charge in charged.charges] == money("10817.00", "5000.50", "1.11", "250.00")
    assert [charged.landed.adcvd, charged.landed.excise, charged.landed.other] == money(
        "15817.50", "1.11", "250.00"
    )
    assert charged.landed.total - plain.landed.total == Decimal("16068.61")


@pytest.mark.parametrize(
    ("charge", "reason"),
    [
        (OtherCharge("duty", amount=1), "CHARGE_INVALID"),
        (OtherCharge("other"), "CHARGE_INVALID"),
        (OtherCharge("other", amount=1, rate=1), "CHARGE_INVALID"),
        (OtherCharge("other", amount="-1"), "CHARGE_INVALID"),
        (OtherCharge("excise", per_unit=UnitRate(CENT, "L")), "QUANTITY_REQUIRED"),
        (OtherCharge("excise", per_unit=UnitRate(CENT, "parsec")), "QUANTITY_REQUIRED"),
    ],
)
def test_a_charge_that_cannot_be_taken_is_refused(charge: OtherCharge, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        quote_line(load_law(), line(other_charges=[charge]))
    assert caught.value.reason == reason


def test_a_bad_line_fails_alone_and_its_entry_says_so() -> None:
    unread = UnreadLine("A", InputError("CHARGE_INVALID", "mode is 9.", field="mode"))
    result = rate(line(entry_id="A"), line(entry_id="A", origin="XX"), unread, line(entry_id="B", hts="1"))
    reasons = [getattr(one, "reason", None) for one in result.outcomes]
    assert reasons == [None, "ORIGIN_UNKNOWN", "CHARGE_INVALID", "HTS_CODE_MALFORMED"]
    first, second = result.entries
    assert (first.lines, first.refused) == ((0, 1, 2), 2)
    assert first.landed.customs_value == 10_000
    assert [note.reason for note in first.notes] == ["ENTRY_INCOMPLETE"]
    assert (second.day, second.refused) == (None, 1)
    assert second.landed.total == 0


def test_lines_of_an_entry_that_name_several_days_pay_the_fees_of_the_first() -> None:
    later = {"entry_id": "A", "entry": "2026-10-01"}
    first = line(entry_id="A", entry="2026-09-30", value=100)
    (entry,) = rate(line(**later), first).entries
    assert [note.reason for note in entry.notes] == ["ENTRY_DAYS_DIFFER"]
    assert entry.landed.mpf == Decimal("34.99")
    # 0.3464 % of 9,600 is 33.25, below the least of either year: 33.58 until 2026-09-30, 34.58 from the next day.
    assert rate(line(**later, value=9500), first).entries[0].landed.mpf == Decimal("33.58")


@pytest.mark.parametrize(("last", "informal", "mpf"), [("500", True, "2.77"), ("500.01", False, "34.58")])
def test_an_entry_of_exactly_2500_over_several_lines_is_informal(last: str, informal: bool, mpf: str) -> None:
    (entry,) = rate(*(line(entry_id="A", value=value) for value in ("1500", "500", last))).entries
    assert (entry.informal, entry.landed.mpf) == (informal, Decimal(mpf))


def test_a_day_of_knowledge_that_cannot_be_read_and_a_cancelled_batch_end_the_whole() -> None:
    with pytest.raises(InputError) as caught:
        collect(load_law(), [line()], known_on="soon")
    assert caught.value.field == "known_on"
    with pytest.raises(ServiceError) as ended:
        collect(load_law(), [line()], cancelled=lambda: True)
    assert ended.value.reason == "CANCELLED"


def test_an_entry_of_one_line_is_that_line() -> None:
    result = rate(line(freight="12.345"))
    (outcome,) = result.outcomes
    assert isinstance(outcome, Quote)
    # What is to say of the whole file is said once, not on each line.
    alone = quote_line(load_law(), line(freight="12.345"))
    unread = unread_of(load_law(), filter(None, result.last_days), None)
    assert outcome._replace(notes=outcome.notes + unread) == alone
    assert [note.reason for note in unread] == ["LAW_READ_TO"]
    assert [entry.landed for entry in result.entries] == [one.landed for one in quotes(result)]


@given(total=st.integers(0, 10**8), weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
def test_what_is_spread_sums_to_the_cent_and_is_nowhere_a_cent_off(total: int, weights: list[int]) -> None:
    amount, parts = total * CENT, [Decimal(weight) for weight in weights]
    shares = prorate(amount, parts)
    whole = sum(weights)
    assert sum(shares) == (amount if whole else 0)
    for share, weight in zip(shares, parts, strict=True):
        assert abs(share - (amount * weight / whole if whole else 0)) < CENT
        assert share == share.quantize(CENT)
        assert share == 0 or weight
