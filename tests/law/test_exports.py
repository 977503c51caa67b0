"""Goods of the United States in China: the sequence of rates to the minute, base, tax, quota, in transit, scenarios."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.exports import ExportLine, ExportQuote, assess_export
from tariffs.engine.law import load_law
from tariffs.engine.scenario import apply_scenario, library

LAW = load_law()
SOYBEANS = ExportLine("1201.90.0095", "US", "10000")


def rated(line: ExportLine, entry: str, scenario: str = "base") -> ExportQuote:
    return assess_export(apply_scenario(LAW, library()[scenario]), replace(line, entry=entry))


@pytest.mark.parametrize(
    ("entry", "rate"),
    [
        ("2025-03-10T00:00+08:00", "0.03"),
        ("2025-03-10T00:01+08:00", "0.13"),
        ("2025-04-10T12:00+08:00", "0.13"),
        ("2025-04-10T12:01+08:00", "0.97"),
        ("2025-04-12T00:00+08:00", "0.97"),
        ("2025-04-12T00:01+08:00", "1.38"),
        ("2025-05-14T12:00+08:00", "1.38"),
        ("2025-05-14T12:01+08:00", "0.23"),
        ("2025-11-10T13:00+08:00", "0.23"),
        ("2025-11-10T13:01+08:00", "0.13"),
        ("2026-11-24", "0.13"),
        ("2027-01-10T13:00+08:00", "0.13"),
        ("2027-01-11", "0.37"),
    ],
)
def test_soybeans_to_the_minute(entry: str, rate: str) -> None:
    assert rated(SOYBEANS, entry).rate == Decimal(rate)


@pytest.mark.parametrize(
    ("scenario", "entry", "rate"),
    [
        ("truce-lapses", "2027-01-11", "0.37"),
        ("truce-extended", "2027-01-11", "0.13"),
        ("soybeans-freed", "2027-01-05", "0.03"),
    ],
)
def test_soybeans_under_scenarios(scenario: str, entry: str, rate: str) -> None:
    assert rated(SOYBEANS, entry, scenario).rate == Decimal(rate)


def test_without_the_extension_the_suspension_ends_in_2026() -> None:
    law = LAW.with_switches({"truce_extension": "off"})
    quote = assess_export(law, replace(SOYBEANS, entry="2026-11-24"))
    assert quote.rate == Decimal("0.37")
    assert quote.provenance["switches"] == {"truce_extension": "off"}


@pytest.mark.parametrize(
    ("hts", "entry", "rate"),
    [
        ("1001.99", "2025-03-09", "0.01"),
        ("1001.99", "2025-03-20", "0.16"),
        ("1005.90", "2025-06-01", "0.26"),
        ("5201.00", "2025-06-01", "0.26"),
        ("5201.00", "2025-12-01", "0.11"),
        ("0203.29", "2025-03-20", "0.22"),
        ("0203.29", "2025-12-01", "0.22"),
        ("2711.11", "2025-02-09", "0"),
        ("2711.11", "2025-02-10", "0.15"),
        ("2711.11", "2025-12-01", "0.25"),
        ("2709.00", "2025-12-01", "0.20"),
        ("1007.90", "2025-12-01", "0.12"),
    ],
)
def test_other_goods(hts: str, entry: str, rate: str) -> None:
    assert rated(ExportLine(hts, "US", 1000), entry).rate == Decimal(rate)


def test_duty_is_on_cif_and_tax_on_both() -> None:
    quote = rated(replace(SOYBEANS, freight="400", insurance="20"), "2026-11-24")
    assert quote.cif == Decimal("10420.00")
    assert [layer.amount for layer in quote.layers] == [Decimal("312.60"), Decimal("1042.00")]
    assert quote.vat == Decimal("1059.71")
    assert quote.landed == Decimal("12834.31")
    assert quote.assessed == quote.owed == Decimal("1354.60")


def test_goods_outside_farming_pay_the_full_tax() -> None:
    quote = rated(ExportLine("8433.51", "US", 1000, ordinary_rate="0.05"), "2025-12-01")
    assert (quote.rate, quote.vat_rate) == (Decimal("0.25"), Decimal("0.13"))


def test_quota_share_mixes_the_two_rates() -> None:
    line = ExportLine("1005.90", "US", 1000, claims={"in_quota_share": "0.5"})
    quote = rated(line, "2026-11-24")
    assert quote.layers[0].rate == Decimal("0.33")
    assert not any("in_quota_share" in text for text in quote.assumptions)
    assert any("in_quota_share" in text for text in rated(replace(line, claims={}), "2026-11-24").assumptions)


@pytest.mark.parametrize(("entry", "rate"), [("2025-04-08", "0.03"), ("2025-04-13", "1.38")])
def test_goods_in_transit_in_march_2025(entry: str, rate: str) -> None:
    line = replace(SOYBEANS, claims={"loading_date": "2025-03-01"})
    assert rated(line, entry).rate == Decimal(rate)


def test_known_on_reads_only_the_acts_published() -> None:
    line = replace(SOYBEANS, entry="2026-11-24")
    assert assess_export(LAW, line, known_on=date(2026, 9, 1)).rate == Decimal("0.37")
    assert assess_export(LAW, line, known_on="entry").rate == Decimal("0.13")


def test_goods_of_others_pay_the_ordinary_rate_alone() -> None:
    quote = rated(replace(SOYBEANS, origin="BR"), "2026-11-24")
    assert quote.rate == Decimal("0.03")
    assert quote.notes == ()


def test_the_answer_names_what_it_does_not_hold() -> None:
    quote = rated(SOYBEANS, "2026-11-24")
    assert [note.reason for note in quote.notes] == ["NOT_MODELLED"]
    assert "cn.s301" in quote.notes[0].message
    assert any("6 digits" in text for text in quote.assumptions)
    assert all(layer.citations for layer in quote.layers)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hts": "1201"}, "HTS_CODE_MALFORMED"),
        ({"hts": "soy bean"}, "HTS_CODE_MALFORMED"),
        ({"origin": "ZZ"}, "ORIGIN_UNKNOWN"),
        ({"value": "-1"}, "CUSTOMS_VALUE_INVALID"),
        ({"freight": "x"}, "CHARGE_INVALID"),
        ({"entry": "tomorrow"}, "ENTRY_DATE_INVALID"),
        ({"entry": "2019-01-01"}, "ENTRY_DATE_OUT_OF_COVERAGE"),
        ({"claims": {"nothing": 1}}, "CLAIM_UNKNOWN"),
        ({"hts": "8542.31"}, "RATE_NOT_COMPUTABLE"),
        ({"ordinary_rate": "-0.1"}, "PARAMETER_INVALID"),
    ],
)
def test_what_cannot_be_read_is_refused(change: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError) as refused:
        assess_export(LAW, replace(SOYBEANS, **change))  # type: ignore[arg-type]
    assert refused.value.reason == reason
    assert refused.value.fix
