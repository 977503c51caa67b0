"""Facts on which a table's duty hangs: declared, sourced or assumed, and the value that its notes name for each."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.law.measure_state import known
from tariffs.engine.line_duty.entry_dates import entry_instant
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library
from tariffs.engine.schedule import reference_data
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.table_duty.duties import Dated, duties_of
from tariffs.engine.tables.prepare import prepare_table

DAY = "2026-11-20"
RELIEF = "fta_share"
# Value is rounded to dollars and each layer to cents on entry lines alone; a shared line has a few layers per atom.
CENTS = 0.5


def rated(day: str, *rows: dict[str, Any], **options: Any) -> Any:
    """The static answer for a table, and its notes with those of the scenario."""
    table = pl.DataFrame(rows, infer_schema_length=None)
    asked = Options(response="none", **{"by": (), **options})
    found = impact(table, [Point(library()["base"], day)], law=load_law(), options=asked)
    return found.scenarios[0], [*found.notes, *found.scenarios[0].notes]


def goods(hts: str, origin: str, value: float = 1e6, **claims: Any) -> dict[str, Any]:
    return {"hts": hts, "origin": origin, "customs_value": value, **claims}


def messages(day: str, reason: str, *rows: dict[str, Any]) -> list[str]:
    return [note.message for note in rated(day, *rows)[1] if note.reason == reason]


def test_drugs_of_singapore_are_of_firms_with_agreements_as_those_of_ireland() -> None:
    def by_origin(basis: str) -> dict[str, float]:
        rows = [goods("3004101010", origin, 100.0) for origin in ("SG", "IE", "AR")]
        options = {"by": ("origin", "authority"), "switches": {"pharma_basis": basis}}
        found = rated(DAY, *rows, **options)[0].groups.filter(pl.col("authority").str.contains("pharma"))
        return dict(zip(found["origin"], found["duty"], strict=True))

    # A total duty of 100 % on 4 % of the value; on 48 % where nothing is known of the firms. Goods of the European
    # Union bear at most 15 %.
    assert by_origin("settled") == pytest.approx({"SG": 4.0, "IE": 0.6, "AR": 48.0})
    assert by_origin("uniform") == pytest.approx({"SG": 48.0, "IE": 0.6, "AR": 48.0})


def test_no_drug_of_the_list_has_an_ordinary_duty_above_the_total_in_lieu_of_it() -> None:
    """Totals of 15 and 100 percent are floors; the format's total does not ask for the higher of the two."""
    for code in load_law().lists["S232_PHARMA"].codes:
        line = load_schedule().find(code.ljust(10, "0"), date(2026, 10, 1))
        assert line
        assert (line.general.ad_valorem, line.general.specific) <= (Decimal("0.15"), ()), code


def test_a_claim_is_asked_for_in_each_scope_of_its_list() -> None:
    goods = [("8703.23.0190", "GB"), ("8703.23.0190", "DE"), ("6810.99.0020", "VN"), ("9503.00.0073", "VN")]
    quotes = [quote_line(load_law(), EntryLine(*one, 10000, "2026-09-20")) for one in goods]
    assert ["in_quota_share" in quote.missing_claims for quote in quotes] == [True, False, True, False]


@pytest.mark.parametrize(
    ("hts", "origin", "day", "measure", "named"),
    [
        # Sparkling wine of Canada is prohibited where it is packaged, which is presumed (Proc 11061).
        ("2204100030", "CA", "2026-11-24", "s338_ca_alcohol_ban", False),
        # Intermodal chassis, 90 FR 48320; suspended from 2025-11-10 (90 FR 50947) until 2027-01-10.
        ("8716390090", "CN", "2025-11-09", "chassis_100", True),
        ("8716390090", "CN", "2026-06-01", "chassis_100", False),
        ("8716390090", "CN", "2027-02-01", "chassis_100", True),
    ],
)
def test_a_charge_on_a_fact_is_named_unless_it_is_presumed_or_suspended(
    hts: str, origin: str, day: str, measure: str, named: bool
) -> None:
    told = [text.split()[0] for text in messages(day, "CHARGE_UNDETERMINED", goods(hts, origin))]
    assert (measure in told) == named


def test_a_table_names_the_value_of_preferences_that_no_program_grants() -> None:
    shirts = "6109100012"
    shares = [("CN", 1000.0, 0.5), ("KR", 300.0, 1.0), ("CN", 70.0, None)]
    rows = [goods(shirts, origin, value, fta_share=share) for origin, value, share in shares]
    (text,) = messages("2026-10-03", "PREFERENCE_NOT_OPEN", *rows)
    assert "worth 500 USD" in text
    partners = [("LS", 1000.0, "9819.11.12"), ("LS", 300.0, None), ("HT", 70.0, "98206125")]
    rows = [goods(shirts, origin, value, fta_share=1.0, chapter98=one) for origin, value, one in partners]
    (text,) = messages("2026-10-03", "PREFERENCE_NOT_OPEN", *rows)
    assert "worth 300 USD" in text
    assert rated("2026-10-03", *rows)[0].total["duty"] == pytest.approx(300 * 0.165)


@pytest.mark.parametrize(
    ("hts", "origin", "provision", "other"),
    [
        ("6109.10.0012", "LS", "9819.11.12", "9819.11.09"),
        ("6109.10.0012", "HT", "9820.61.25", "9820.11.12"),
        ("6302.60.0020", "MG", "9819.11.33", "9819.11.27"),
    ],
)
def test_a_preference_without_its_provision_names_those_that_free_the_goods(
    hts: str, origin: str, provision: str, other: str
) -> None:
    line = EntryLine(hts, origin, 10000, "2026-10-03", {"fta_share": 1}, quantity=2100, unit="kg")
    (told,) = (x.message for x in quote_line(load_law(), line).notes if x.reason == "PREFERENCE_NOT_OPEN")
    assert provision in told
    assert other in told
    granted = quote_line(load_law(), line._replace(claims={"fta_share": 1, "chapter98": provision}))
    assert "PREFERENCE_NOT_OPEN" not in {note.reason for note in granted.notes}
    assert granted.assessed == 0


def test_goods_under_an_embargo_name_it() -> None:
    for origin, cites in (("CU", ["31 CFR 515"]), ("IR", ["31 CFR 560"]), ("KP", ["31 CFR 510"]), ("CN", [])):
        for day in ("2025-01-02", "2026-11-24"):
            quote = quote_line(load_law(), EntryLine("9503.00.0073", origin, 10000, day))
            told = [note.message for note in quote.notes if note.reason == "EMBARGO"]
            assert len(told) == len(cites)
            assert all(one in text for one, text in zip(cites, told, strict=True))


@pytest.mark.parametrize("column", ["mode", ""])
def test_a_table_has_the_duties_of_its_lines_and_names_the_value_without_a_mode(column: str) -> None:
    loaded = "2025-04-01"
    days = (loaded, loaded, loaded, loaded, None)
    told = zip(("ocean", "air", "land", None, None), days, (1e3, 2e3, 4e3, 8e3, 16e3), strict=True)
    rows = [
        goods("9503000073", "VN", value, loading_date=day) | ({column: mode} if column else {})
        for mode, day, value in told
    ]
    found, notes = rated("2025-04-08", *rows)
    assert found.total["duty"] == pytest.approx(0.1 * (22_000 if column else 16_000))
    (note,) = [note.message for note in notes if note.reason == "MODE_ASSUMED"]
    assert f"lines worth {8_000 if column else 15_000:,} USD" in note
    assert "9903.01.28 is for goods loaded onto a vessel" in note


def test_the_mode_is_not_given_as_a_claim() -> None:
    with pytest.raises(InputError) as caught:
        quote_line(load_law(), EntryLine("9503.00.0073", "VN", 10_000, "2025-04-08", {"mode": "air"}))
    assert (caught.value.reason, caught.value.field) == ("CLAIM_INVALID", "claims.mode")


# -- sourced shares --------------------------------------------------------------------------------------------


def test_a_table_names_the_value_on_which_sourced_shares_stood_in() -> None:
    rows = [
        goods("8708806590", "MX", 1_000.0, usmca_share=None),
        goods("8708806590", "MX", 20_000.0, usmca_share="1"),
        goods("6110202079", "JO", 300.0, usmca_share=None),
    ]
    (told,) = messages(DAY, "SHARE_SOURCED", *rows)
    values = dict(re.findall(r"(\w+_share) on ([\d,]+) USD", told))
    assert (values["usmca_share"], values["fta_share"]) == ("1,000", "300")
    assert reference_data.preference_shares().filter(origin="JO", hts2="61")["share"].item() > 0
    relief = "fta_share on 300 USD (preference or other relief, as paid in 2024; preference: hs2_origin)"
    assert relief in told
    claims = {claim.id: "0" for claim in load_law().claims.values() if claim.reference}
    assert messages(DAY, "SHARE_SOURCED", goods("6110202079", "JO", 300.0, **claims)) == []


def alone(row: dict[str, Any], claims: dict[str, Any]) -> float | None:
    """Duty on a row as an entry line; None where it needs a quantity."""
    try:
        line = EntryLine(row["hts"], row["origin"], row["customs_value"], DAY, claims)
        return float(quote_line(load_law(), line).assessed)
    except InputError as error:
        assert error.reason in {"QUANTITY_REQUIRED", "RATE_NOT_COMPUTABLE"}, (error, row)  # noqa: PT017
        return None


def unexplained(origins: Sequence[str], count: int) -> list[dict[str, Any]]:
    """Random rows of the reference table that neither facts nor relief of the table explain on an entry line."""
    law, prepared = load_law(), prepare_table(None, load_law())
    lines, dated = prepared.lines, Dated([entry_instant(law, DAY)], [law.as_of], None)
    without = replace(lines, facts={**lines.facts, RELIEF: np.zeros(lines.count)}, cache={})
    duty, unrelieved = (duties_of(law, one, dated, lambda: None).duty for one in (lines, without))
    wanted = np.flatnonzero(np.isin(np.array(lines.origins)[lines.origin], origins))
    found = []
    for index in random.Random(0).sample(wanted.tolist(), count):
        row = prepared.frame.row(index, named=True)
        shares = {claim: str(Decimal(repr(float(lines.fact(claim)[index])))) for claim in lines.sourced}
        bare = {name: share for name, share in shares.items() if name != RELIEF}
        near = CENTS + 1e-6 * duty[index]
        # Relief that no program of the schedule gives an entry line, such as chapter 98.
        told = [(alone(row, {}), duty), (alone(row, shares), duty), (alone(row, bare), unrelieved)]
        if not any(own is None or abs(own - table[index]) <= near for own, table in told):
            found.append(row)
    return found


def test_a_table_and_its_lines_differ_by_sourced_shares_alone(scale: int) -> None:
    assert unexplained(("CN", "VN", "IN", "TH"), 100 * scale) == []


# -- retroactive acts ------------------------------------------------------------------------------------------

# Act by act: the day that it was published, goods, origin, an entry between its effect and that day.
ACTS: dict[str, tuple[str, str, str, str]] = {
    "electronics": ("2025-04-11", "8517.13.0000", "CN", "2025-04-06"),
    "Japan floor": ("2025-09-04", "6110.30.3059", "JP", "2025-09-01"),
    "EU exemptions": ("2025-09-24", "0810.50.0000", "DE", "2025-09-10"),
    "Korea floor": ("2025-12-03", "6110.30.3059", "KR", "2025-12-01"),
    "Korea wood": ("2025-12-03", "9401.61.4011", "KR", "2025-12-01"),
    "Korea cars": ("2025-12-03", "8703.23.0190", "KR", "2025-11-20"),
    "Switzerland floor": ("2025-12-17", "8479.50.0000", "CH", "2025-12-01"),
    "agriculture": ("2025-11-14", "0901.11.0025", "CO", "2025-11-13T12:00-05:00"),
    "Brazil agriculture": ("2025-11-20", "0901.11.0025", "BR", "2025-11-15"),
    "Taiwan parts": ("2026-05-28", "8708.29.5160", "TW", "2026-05-15"),
    "Taiwan aircraft": ("2026-05-28", "7304.31.3000", "TW", "2026-05-10"),
}


@pytest.mark.parametrize("act", ACTS)
def test_what_was_deposited_before_a_retroactive_act_is_more_than_what_is_assessed_since(act: str) -> None:
    _, hts, origin, entry = ACTS[act]
    facts = {"fta_share": 0, "civil_aircraft_share": int("aircraft" in act), "vehicle_part_share": 1}
    row = goods(hts, origin, 10000.0, entry_date=entry, **facts)
    deposited, now = (rated("", row, known_on=known_on)[0].total for known_on in ("entry", ""))
    assert now["duty_owed"] <= now["duty"] < deposited["duty"]
    for known_on, total in (("entry", deposited), (None, now)):
        line = quote_line(load_law(), EntryLine(hts, origin, 10000, entry, facts), known_on=known_on)
        wanted = (float(line.assessed), float(line.owed))
        assert (total["duty"], total["duty_owed"]) == pytest.approx(wanted)


def test_every_act_published_after_its_effect_is_among_those_tested() -> None:
    law = load_law()
    imports = [one.id for one in law.measures.values() if one.direction == "import"]
    acts = [(one.start, one.known_from) for name in imports for one in known(law.acts[name], law.as_of)]
    late = {str(day) for start, day in acts if start and day and start.date() + timedelta(days=1) <= day}
    assert late <= {published for published, *_ in ACTS.values()}
