"""Traps of scope: which goods and which origins a duty reaches, and what the importer must claim."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import Law, load_law
from tariffs.engine.scenario import apply_scenario, parse_scenario
from tests.law.traps.bench import (
    TOYS,
    Raw,
    broken,
    changed,
    headings,
    measure,
    paid,
    quote,
    rows,
    usd,
)

CELLS, LAPTOP = "8507.60.0020", "8471.30.0100"


def unconditional(place: str, heading: str) -> Law:
    """The law with rows of a heading that no longer ask for their claim."""

    def change(raw: Raw) -> None:
        for row in rows(raw, place, heading):
            row.pop("if")

    return broken(change)


def with_list(name: str, *codes: str) -> Law:
    """The law with a list that holds these codes and nothing else."""
    return broken(lambda raw: raw["lists"].update({name: [(code, "", "") for code in codes]}))


@pytest.mark.parametrize(
    ("place", "heading", "duty", "entry"),
    [
        ("s122_10", "9903.03.05", "s122_surcharge", "2026-03-15"),
        ("fl301_2026", "9903.05.88", "fl301", "2026-11-24"),
    ],
)
def test_trap_04_goods_listed_for_aircraft_pay_unless_they_are_for_aircraft(
    place: str, heading: str, duty: str, entry: str
) -> None:
    line = (CELLS, "CN", entry)
    assert paid(quote(load_law(), *line))[duty] > 0
    assert duty not in paid(quote(load_law(), *line, {"civil_aircraft_share": 1}))
    assert duty not in paid(quote(unconditional(place, heading), *line))


def test_trap_04_a_particular_article_must_be_claimed() -> None:
    line = (_first("S122_PARTICULAR"), "CN", "2026-03-15")
    assert paid(quote(load_law(), *line))["s122_surcharge"] == Decimal("1000.00")
    assert "s122_surcharge" not in paid(quote(unconditional("s122_10", "9903.03.04"), *line))


def test_trap_05_codes_lost_in_scanning_are_on_the_list() -> None:
    line = (LAPTOP, "CN", "2026-11-24")
    assert paid(quote(load_law(), *line)) == {}

    def as_scanned(raw: Raw) -> None:
        raw["lists"]["FL301_52B"] = [row for row in raw["lists"]["FL301_52B"] if row[0] != "84713001"]

    assert paid(quote(broken(as_scanned), *line)) == usd(fl301="1250.00")


def test_trap_05_ten_lost_codes_are_exempt_and_four_for_pharmaceutical_use_alone() -> None:
    exempt = ["02012030", "27082000", "28469080", "30045040", "74040060", "84713001", "84717010", "84719000"]
    exempt += ["8505110070", "85249190"]
    codes = {
        name: set(load_law().lists[name].on(load_law().coverage[1], load_law().as_of))
        for name in ("FL301_52B", "FL301_52E")
    }
    assert set(exempt) <= codes["FL301_52B"]
    conditional = {"29144090", "29183030", "29339911", "38249955"}
    assert conditional <= codes["FL301_52E"]
    assert not conditional & codes["FL301_52B"]


def test_trap_05_the_switch_over_lost_codes_is_retired_with_its_reason() -> None:
    with pytest.raises(ScenarioError) as caught:
        load_law().with_switches({"fl301_lost_lines": "exempt"})
    assert caught.value.reason == "SWITCH_RETIRED"
    assert "52(e)" in caught.value.message
    old = "schema: tariffs.scenario/v1\nid: old\ntitle: Old\nbasis: hypothesis\nchanges:\n"
    change = "  - {op: set_switch, name: fl301_lost_lines, value: exempt}\n"
    with pytest.raises(ScenarioError) as told:
        apply_scenario(load_law(), parse_scenario(old + change, "old.yaml"))
    assert (told.value.reason, told.value.line) == ("SWITCH_RETIRED", 6)


# List, exempt 10-digit code, sibling that pays, day, origin, duty.
SUFFIXES = {
    "magnets, surcharge": (
        "S122_UNCOND",
        "8505.11.0070",
        "8505.11.0050",
        "2026-03-24",
        "CN",
        "s122_surcharge",
    ),
    "magnets, forced labor": ("FL301_52B", "8505.11.0070", "8505.11.0050", "2026-08-15", "CN", "fl301"),
    "flaxseed, forced labor": ("FL301_52B", "1204.00.0010", "1204.00.0025", "2026-08-15", "CN", "fl301"),
    "sterilizers, forced labor": (
        "FL301_52J_GB",
        "8419.20.0010",
        "8419.20.0020",
        "2026-08-15",
        "GB",
        "fl301",
    ),
    "magnets, Brazil": ("BR301_FLAT", "8505.11.0070", "8505.11.0050", "2026-07-23", "BR", "s301_br"),
    "honey, Brazil": ("BR301_FLAT", "0409.00.0005", "0409.00.0065", "2026-07-23", "BR", "s301_br"),
}


@pytest.mark.parametrize("name", SUFFIXES)
def test_trap_06_an_exemption_of_ten_digits_frees_no_more(name: str) -> None:
    wide, exempt, sibling, entry, origin, duty = SUFFIXES[name]
    quantity: Raw = {"quantity": 100, "unit": "kg"}
    assert duty not in paid(quote(load_law(), exempt, origin, entry, **quantity))
    assert duty in paid(quote(load_law(), sibling, origin, entry, **quantity))
    broadened = broken(lambda raw: raw["lists"][wide].append((exempt.replace(".", "")[:8], "", "")), wide)
    assert duty not in paid(quote(broadened, sibling, origin, entry, **quantity))


def test_trap_07_list_4b_brought_back_adds_to_no_other_list() -> None:
    line = ("7318.15.8066", "CN", "2025-03-01")
    back = {"op": "snap_back", "measures": {"id": "s301_l4b"}, "at": "2025-02-01"}
    right = paid(quote(changed(load_law(), back), *line))
    assert (right["s301_l3"], right.get("s301_l4b")) == (Decimal("2500.00"), None)
    assert paid(quote(changed(load_law(), back), TOYS, "CN", "2025-03-01"))["s301_l4b"] == Decimal("1500.00")

    def contaminated(raw: Raw) -> None:
        measure(raw, "s301_l4b")["periods"][0]["rows"][0].pop("not_products")
        for rule in raw["rules"]:
            if "s301_l4b" in rule.get("one_of", []):
                rule["one_of"].remove("s301_l4b")

    wrong = paid(quote(changed(broken(contaminated), back), *line))
    assert (wrong["s301_l3"], wrong["s301_l4b"]) == (Decimal("2500.00"), Decimal("1500.00"))


def test_trap_08_suffixes_differ_in_law() -> None:
    listed, other = ("9403.20.0075", "VN"), ("9403.20.0078", "VN")
    assert paid(quote(load_law(), *listed, "2026-06-10")) == usd(s232_IB="2500.00")
    assert "s232_IB" not in paid(quote(load_law(), *listed, "2026-06-07"))
    assert paid(quote(load_law(), *other, "2026-06-10")) == usd(s122_surcharge="1000.00")
    rounded = broken(
        lambda raw: raw["lists"]["S232_IB_STEEL"].append(("94032000", "2026-06-08", "")), "S232_IB_STEEL"
    )
    assert paid(quote(rounded, *other, "2026-06-10")) == usd(s232_IB="2500.00")


def test_trap_19_the_list_called_motor_vehicles_has_few_vehicles() -> None:
    car, honey = ("8703.23.0190", "CA"), ("0409.00.0065", "CA")
    weight: Raw = {"quantity": 100, "unit": "kg"}
    for entry in ("2026-09-01", "2026-10-01"):
        assert "9903.03.14" not in headings(quote(load_law(), *car, entry))
        assert headings(quote(load_law(), *honey, entry, **weight))["9903.03.14"] == Decimal("5000.00")
    by_name = with_list("S338_VEHICLES_2026_09_15", "8703")
    assert headings(quote(by_name, *car, "2026-10-01"))["9903.03.14"] == Decimal("5000.00")
    assert "9903.03.14" not in headings(quote(by_name, *honey, "2026-10-01", **weight))


def test_trap_19_motorcycles_were_on_the_list_before_golf_carts_and_the_smallest_cars() -> None:
    on = {
        entry: {hts for hts in ("8711.50.0030", "8703.10.5030", "8703.21.0110")
                if "9903.03.14" in headings(quote(load_law(), hts, "CA", entry))}
        for entry in ("2026-09-14", "2026-09-16")
    }  # fmt: skip
    assert on["2026-09-14"] == {"8711.50.0030"}
    assert {"8703.10.5030", "8703.21.0110"} <= on["2026-09-16"]


def reused(law: Law) -> dict[str, set[str]]:
    """Headings under which measures of more than one statute charge."""
    used: dict[str, set[str]] = defaultdict(set)
    for found in law.measures.values():
        for row in (row for part in found.periods for row in part.rows):
            if row.heading and not row.exempt:
                used[row.heading].add(found.authority.split(".")[0])
    return {heading: nodes for heading, nodes in used.items() if len(nodes) > 1}


def test_trap_20_a_heading_is_of_one_statute() -> None:
    assert reused(load_law()) == {}

    def tracker(raw: Raw) -> None:
        for name, authority in (("quartz_copy", "s201"), ("polysilicon_copy", "s232.polysilicon")):
            row = {"products": ["2804.61"], "rate": "15%", "heading": "9903.45.30"}
            start = {"id": f"{name}_start", "from": "2026-08-15T00:01-04:00", "conf": "C", "rows": [row]}
            raw["measures"].append(
                {"id": name, "authority": authority, "title": name, "conf": "C", "periods": [start]}
            )

    assert reused(broken(tracker)) == {"9903.45.30": {"s201", "s232"}}
    repeal = {"op": "terminate", "measures": {"heading": "9903.45.30"}, "at": "2026-10-01"}
    both = {"quartz_copy", "polysilicon_copy"}
    assert both <= paid(quote(broken(tracker), "2804.61.0000", "DE", "2026-11-24")).keys()
    assert not both & paid(quote(changed(broken(tracker), repeal), "2804.61.0000", "DE", "2026-11-24")).keys()


def rate_as_china(raw: Raw, origin: str) -> None:
    """Put the row of China in the forced-labor duty in place of that of another origin, or beside those of all."""
    found = measure(raw, "fl301")["periods"][0]
    (china,) = (row for row in found["rows"] if row.get("origins") == ["CN"])
    others = [row for row in found["rows"] if row.get("origins") != [origin]]
    found["rows"] = [*others, {**china, "origins": [origin]}]


def test_trap_23_macau_is_in_the_reciprocal_duty_and_in_no_other() -> None:
    assert paid(quote(load_law(), TOYS, "MO", "2025-06-01")) == usd(recip_cn="1000.00")
    assert paid(quote(load_law(), TOYS, "MO", "2026-11-24")) == {}

    def one_china(raw: Raw) -> None:
        raw["groups"]["CN_HK"]["members"].append("MO")
        rate_as_china(raw, "MO")

    assert paid(quote(broken(one_china), TOYS, "MO", "2025-06-01")) == usd(
        recip_cn="1000.00", fent_cn="2000.00"
    )
    assert paid(quote(broken(one_china), TOYS, "MO", "2026-11-24")) == usd(fl301="1250.00")


def test_trap_23_hong_kong_has_a_heading_of_its_own() -> None:
    line = (TOYS, "HK", "2026-11-24")
    assert headings(quote(load_law(), *line)) == {"9903.05.43": Decimal("1250.00")}

    assert headings(quote(broken(lambda raw: rate_as_china(raw, "HK")), *line)) == {
        "9903.05.31": Decimal("1250.00")
    }


@pytest.mark.parametrize(
    ("heading", "line", "claim"),
    [
        ("9903.05.95", ("6109.10.0012", "HN", "2026-11-20"), "fta_share"),
        ("9903.05.89", ("2804.10.0000", "IN", "2026-11-20"), "pharma_use_share"),
    ],
)
def test_trap_24_textile_and_pharma_relief_is_claimed(
    heading: str, line: tuple[str, str, str], claim: str
) -> None:
    assert paid(quote(load_law(), *line))["fl301"] == Decimal("1000.00")
    assert "fl301" not in paid(quote(load_law(), *line, {claim: 1}))
    assert "fl301" not in paid(quote(unconditional("fl301_2026", heading), *line))


def _first(name: str) -> str:
    law = load_law()
    return min(law.lists[name].on(law.coverage[1], law.as_of)).ljust(10, "0")
