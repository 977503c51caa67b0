"""Goods of the United States in China: the sequence of rates to the minute, base, tax, quota, in transit, scenarios."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import Law, load_law
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.line_duty.exports import ExportLine, ExportQuote, quote_export
from tariffs.engine.line_duty.quote import quote_line
from tariffs.engine.runs.law_history.change_effects import changes_on_table
from tariffs.engine.runs.law_history.law_changes import changes, read_window
from tariffs.engine.scenario import apply_scenario, library, parse_scenario

LAW = load_law()
SOYBEANS = ExportLine("1201.90.0095", "US", "10000")


def rated(line: ExportLine, entry: str, scenario: str = "base") -> ExportQuote:
    return quote_export(apply_scenario(LAW, library()[scenario]), replace(line, entry=entry))


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


# The notices of 2025 as the matrix of the International Trade Administration has them, beside 10 on all goods and the
# answers to Section 301 and 232; the ordinary rate is the caller's. Of a subheading the mean of its lines.
@pytest.mark.parametrize(
    ("hts", "rate"),
    [
        ("0813.10", "0.65"),
        ("2007.99.10", "0.45"),
        ("0303.23", "0.50"),
        ("2701.12", "0.5125"),
        ("8437.10", "0.225"),
        ("8701.95.10", "0.25"),
        ("8432.90", "0.35"),
        ("8703.23.41", "0.10"),
        ("8703.23.61", "0.20"),
        ("8703.23", "0.133333"),
        ("8703.23.0140", "0.133333"),
    ],
)
def test_goods_of_the_notices_of_2025(hts: str, rate: str) -> None:
    line = ExportLine(hts, "US", "10000", ordinary_rate="0")
    assert rated(line, "2025-06-02").rate == pytest.approx(Decimal(rate), abs=Decimal("1e-6"))


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
    quote = quote_export(law, replace(SOYBEANS, entry="2026-11-24"))
    assert quote.rate == Decimal("0.37")
    assert quote.provenance["switches"] == {"truce_extension": "off"}


@pytest.mark.parametrize(
    ("hts", "entry", "rate"),
    [
        ("1001.99", "2025-03-09", "0.26"),
        ("1001.99", "2025-03-20", "0.41"),
        ("1005.90", "2025-06-01", "0.51"),
        ("5201.00", "2025-06-01", "0.51"),
        ("5201.00", "2025-12-01", "0.36"),
        ("0203.29", "2025-03-20", "0.77"),
        ("0203.29", "2025-12-01", "0.77"),
        ("2711.11", "2025-02-09", "0"),
        ("2711.11", "2025-02-10", "0.15"),
        ("2711.11", "2025-12-01", "0.25"),
        ("2709.00", "2025-12-01", "0.225"),
        ("1007.90", "2025-12-01", "0.37"),
    ],
)
def test_other_goods(hts: str, entry: str, rate: str) -> None:
    assert rated(ExportLine(hts, "US", 1000), entry).rate == Decimal(rate)


def test_duty_is_on_cif_and_tax_on_both() -> None:
    quote = rated(replace(SOYBEANS, freight="400", insurance="20"), "2026-11-24")
    assert quote.cif == Decimal("10420.00")
    assert [layer.amount for layer in quote.layers] == [
        Decimal("312.60"), Decimal("0.00"), Decimal("1042.00"),
    ]  # fmt: skip
    assert quote.vat == Decimal("1059.71")
    assert quote.landed == Decimal("12834.31")
    assert quote.assessed == quote.owed == Decimal("1354.60")


def test_goods_outside_farming_pay_the_full_tax() -> None:
    quote = rated(ExportLine("8433.51", "US", 1000, ordinary_rate="0.05"), "2025-12-01")
    assert (quote.rate, quote.vat_rate) == (Decimal("0.45"), Decimal("0.13"))


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
    assert quote_export(LAW, line, known_on=date(2026, 9, 1)).rate == Decimal("0.37")
    assert quote_export(LAW, line, known_on="entry").rate == Decimal("0.13")


def test_goods_of_others_pay_the_ordinary_rate_alone() -> None:
    quote = rated(replace(SOYBEANS, origin="BR"), "2026-11-24")
    assert quote.rate == Decimal("0.03")
    assert [note.reason for note in quote.notes] == ["LAW_READ_TO"]


def test_the_answer_names_what_it_does_not_hold() -> None:
    quote = rated(SOYBEANS, "2026-11-24")
    assert [note.reason for note in quote.notes] == ["LAW_READ_TO"]
    assert "cn_excluded_share: not declared, so taken as claimed" in quote.assumptions
    car = rated(ExportLine("8703.23", "US", 1000, to="CA"), "2026-11-24")
    assert [note.reason for note in car.notes] == ["NOT_MODELLED", "LAW_READ_TO"]
    assert "ca.vehicles" in car.notes[0].message
    assert any("6 digits" in text for text in quote.assumptions)
    assert all(layer.citations for layer in quote.layers)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hts": "1201"}, "HTS_CODE_MALFORMED"),
        ({"hts": "1201.99"}, "HTS_CODE_UNKNOWN"),
        ({"hts": "soy bean"}, "HTS_CODE_MALFORMED"),
        ({"origin": "ZZ"}, "ORIGIN_UNKNOWN"),
        ({"value": "-1"}, "CUSTOMS_VALUE_INVALID"),
        ({"freight": "x"}, "CHARGE_INVALID"),
        ({"entry": "tomorrow"}, "ENTRY_DATE_INVALID"),
        ({"entry": "2019-01-01"}, "ENTRY_DATE_OUT_OF_COVERAGE"),
        ({"claims": {"nothing": 1}}, "CLAIM_UNKNOWN"),
        ({"hts": "8524.11"}, "RATE_NOT_COMPUTABLE"),
        ({"to": "ZZ"}, "REQUEST_INVALID"),
        ({"ordinary_rate": "-0.1"}, "PARAMETER_INVALID"),
        ({"ordinary_rate": "3"}, "PARAMETER_INVALID"),
    ],
)
def test_what_cannot_be_read_is_refused(change: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError) as refused:
        quote_export(LAW, replace(SOYBEANS, **change))  # type: ignore[arg-type]
    assert refused.value.reason == reason
    assert refused.value.fix


def test_every_layer_says_why() -> None:
    quote = rated(SOYBEANS, "2026-11-24")
    assert [layer.why["text"] for layer in quote.layers] == [
        "Ordinary rate 3% on the customs value.",
        "Exempt under the terms of the measure because cn_excluded_share is not denied.",
        "10%, kept during a suspension, on the customs value.",
    ]
    assert quote.layers[0].why["rule"] == "cn_ordinary_rates"


def test_a_code_without_its_leading_zero_is_read_and_told() -> None:
    quote = rated(ExportLine("20329", "US", 1000), "2025-12-01")
    assert quote.rate == Decimal("0.77")
    assert "HTS_CODE_REPAIRED" in {note.reason for note in quote.notes}


def scenario(changes: str) -> Law:
    text = f"schema: tariffs.scenario/v1\nid: x\ntitle: x\nbasis: hypothesis\nchanges:\n{changes}"
    return apply_scenario(LAW, parse_scenario(text, "scenario"))


def test_a_scenario_sets_the_share_within_a_quota() -> None:
    law = scenario(
        '  - {op: set_claim, claim: in_quota_share, share: "0.5", from: 2026-01-01, products: ["1005"], cite: [x]}\n'
    )
    corn = ExportLine("1005.90", "US", 1000, "2026-11-24")
    assert quote_export(law, corn).layers[0].rate == Decimal("0.33")
    assert quote_export(LAW, corn).layers[0].rate == Decimal("0.01")


def test_a_floor_tops_up_the_ordinary_rate() -> None:
    law = scenario(
        "  - op: add\n    measure:\n      id: cn.floor\n      title: a floor\n"
        "      authority: cn.recip\n      direction: export\n      displaces_at_zero: yes\n"
        "      periods:\n        - id: floor\n"
        "          from: 2026-11-01T00:00+08:00\n"
        '          rows: [{origins: [US], kind: topup_to, rate: "20%"}]\n    cite: [a test]\n'
    )
    quote = quote_export(law, replace(SOYBEANS, entry="2026-11-24"))
    assert {layer.measure: layer.rate for layer in quote.layers}["cn.floor"] == Decimal("0.17")


def test_acts_of_no_sure_source_may_be_left_out() -> None:
    quote = quote_export(LAW.with_min_conf("B"), replace(SOYBEANS, entry="2026-11-24"))
    assert quote.rate == Decimal("0.37")


def test_changes_of_duties_on_exports_are_listed_by_their_own_clock() -> None:
    window = read_window("2025-11-10", "2025-11-10", "1201.90", "US")
    found = changes(LAW, window, market="CN")
    assert [(one.kind, one.measures) for one in found] == [
        ("terminate", ("cn.ag_other",)),
        ("extend", ("cn.recip",)),
    ]
    assert changes(LAW, read_window("2025-11-10", "2025-11-10", "1201.90", "BR"), market="CN") == ()
    assert not {name for one in changes(LAW, window) for name in one.measures if name.startswith("cn.")}


def test_changes_hit_the_lines_of_a_table_of_exports() -> None:
    table = pl.DataFrame(
        {"hts": ["1201.90", "1201.90"], "origin": ["US", "BR"], "customs_value": [100.0, 100.0]}
    )
    notices = changes(LAW, read_window("2025-11-10", "2025-11-10"), market="CN")
    found = changes_on_table(LAW, notices, table, market="CN")
    assert found.lines.select("measure", "origin", "duty_before", "duty_after").rows() == [
        ("cn.ag_other", "US", pytest.approx(10.0), 0.0)
    ]
    assert found.lines["at"][0] == "2025-11-10T13:01+08:00"


def test_an_answer_rests_on_the_switches_of_its_own_direction() -> None:
    entered = quote_line(LAW, EntryLine("1201900095", "US", 100, "2026-11-24"))
    assert "truce_extension" not in entered.provenance["switches"]
    sent = quote_export(LAW, replace(SOYBEANS, entry="2026-11-24"))
    assert sent.provenance["switches"] == {"truce_extension": "on"}


def test_tax_is_to_the_cent_on_the_duty_as_rounded() -> None:
    # Duties of 3 % and 10 % on 3.88 are 0.1164 and 0.388, collected as 0.12 and 0.39. Tax is 9 % of 4.39, which is
    # 0.3951; on the duty before rounding it would be 9 % of 4.3844, which is 0.3946 and a cent less.
    quote = rated(replace(SOYBEANS, value="3.88"), "2026-11-24")
    assert [layer.amount for layer in quote.layers] == [Decimal("0.12"), Decimal("0.00"), Decimal("0.39")]
    assert (quote.vat, quote.landed) == (Decimal("0.40"), Decimal("4.79"))


def test_an_invalidated_duty_on_exports_is_assessed_and_not_owed() -> None:
    law = scenario(
        "  - {op: invalidate, measures: {authority: cn.recip}, at: 2026-11-01T00:00+08:00, from_beginning: yes,"
        " collection_stop: 2026-12-01T00:00+08:00, cite: [x]}\n"
    )
    quote = quote_export(law, replace(SOYBEANS, entry="2026-11-24"))
    found = {layer.measure: (layer.amount, layer.owed) for layer in quote.layers}
    assert found == {
        "cn.ordinary": (Decimal("300.00"), Decimal("300.00")),
        "cn.s301": (Decimal(0), Decimal(0)),
        "cn.recip": (Decimal("1000.00"), Decimal(0)),
    }
    assert (quote.assessed, quote.owed) == (Decimal("1300.00"), Decimal("300.00"))
