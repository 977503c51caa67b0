"""Traps of scope and stacking: which goods and origins a duty reaches, what must be claimed, what takes what."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import load_law
from tariffs.engine.scenario import apply_scenario, parse_scenario
from tests.law.traps.bench import TOYS, Raw, Trap, both, edit_list, edit_rows, measure, rule, spelled_out

SCREWS, CAR, HONEY = "7318.15.8066", "8703.23.0190", "0409.00.0065"
CELLS, LAPTOP, TOWELS, RACKS = "8507.60.0020", "8471.30.0100", "6302.60.0010", "9403.20.0078"
HALF, USMCA = {"steel_share": 0.5}, {"usmca_share": 1}
LIST_338, SILICON = "9903.03.14", "2804.61.0000"
BACK = ({"op": "snap_back", "measures": {"id": "s301_l4b"}, "at": "2025-02-01"},)


def only(name: str, *codes: str) -> Callable[[Raw], object]:
    """A list that holds these codes and nothing else."""
    return lambda raw: raw["lists"].update({name: [(code, "", "") for code in codes]})


def as_scanned(raw: Raw) -> None:
    raw["lists"]["FL301_52B"] = [row for row in raw["lists"]["FL301_52B"] if row[0] != "84713001"]


def contaminated(raw: Raw) -> None:
    measure(raw, "s301_l4b")["periods"][0]["rows"][0].pop("not_products")
    for one in raw["rules"]:
        if "s301_l4b" in one.get("one_of", []):
            one["one_of"].remove("s301_l4b")


def rate_as_china(origin: str) -> Callable[[Raw], object]:
    """Put the row of China in the forced-labor duty in place of that of another origin, or beside those of all."""

    def change(raw: Raw) -> None:
        found = measure(raw, "fl301")["periods"][0]
        (china,) = (row for row in found["rows"] if row.get("origins") == ["CN"])
        others = [row for row in found["rows"] if row.get("origins") != [origin]]
        found["rows"] = [*others, {**china, "origins": [origin]}]

    return change


def one_china(raw: Raw) -> None:
    raw["groups"]["CN_HK"]["members"].append("MO")


def drop(name: str, **others: str) -> Callable[[Raw], object]:
    """Take a rule away, and a key of other rules."""

    def change(raw: Raw) -> None:
        raw["rules"].remove(rule(raw, name))
        for other, key in others.items():
            rule(raw, other).pop(key)

    return change


def by_content(raw: Raw) -> None:
    edit_rows("ia_last", "9903.82.02", base={"steel": "1"})(raw)
    rule(raw, "fl301_off_232")["take"] = "content"


def reused_heading(raw: Raw) -> None:
    rows = [{"products": ["2804.61"], "rate": "15%", "heading": "9903.45.30"}]
    for name, authority in (("quartz_copy", "s201"), ("polysilicon_copy", "s232.polysilicon")):
        start = {"id": f"{name}_start", "from": "2026-08-15T00:01-04:00", "conf": "C", "rows": rows}
        raw["measures"].append(
            {"id": name, "authority": authority, "title": name, "periods": [start], "conf": "C"}
        )


def off_232(raw: Raw) -> None:
    after = raw["rules"].index(rule(raw, "vehicles_before_fentanyl")) + 1
    off = {"id": "cn_off_232", "when": ["s232"], "on": ["fent_cn"], "take": "content", "conf": "C"}
    raw["rules"].insert(after, {**off, "text": "", "cite": []})


def freed(label: str) -> Callable[[Raw], object]:
    row = {"if": ["usmca_share"], "rate": "0%", "heading": "9903.99.99"}
    return lambda raw: spelled_out(raw, label).insert(0, row)


# List, exempt 10-digit code, sibling that pays, day, origin, duty and its amount on 10,000.
SUFFIXES = {
    "magnets, surcharge": ("S122_UNCOND", "8505.11.0070", "8505.11.0050", "2026-03-24", "CN", "s122_surcharge", 1000),
    "magnets": ("FL301_52B", "8505.11.0070", "8505.11.0050", "2026-08-15", "CN", "fl301", 1250),
    "magnets, Brazil": ("BR301_FLAT", "8505.11.0070", "8505.11.0050", "2026-07-23", "BR", "s301_br", 2500),
    "honey, Brazil": ("BR301_FLAT", "0409.00.0005", HONEY, "2026-07-23", "BR", "s301_br", 2500),
}  # fmt: skip
# Goods of the list of vehicles before and after it grew.
VEHICLES = (
    ("cars", CAR, "2026-09-01", 0), ("motorcycles", "8711.50.0030", "2026-09-14", 5000),
    ("golf carts", "8703.10.5030", "2026-09-14", 0), ("golf carts", "8703.10.5030", "2026-09-16", 5000),
    ("the smallest cars", "8703.21.0110", "2026-09-14", 0), ("the smallest cars", "8703.21.0110", "2026-09-16", 5000),
)  # fmt: skip
TRAPS = {
    "04 aircraft, surcharge": Trap(
        (CELLS, "CN", "2026-03-15"), {"s122_surcharge": 1000}, edit_rows("s122_10", "9903.03.05", "if"),
        {"s122_surcharge": 0},
    ),
    "04 claimed, surcharge": Trap((CELLS, "CN", "2026-03-15", {"civil_aircraft_share": 1}), {"s122_surcharge": 0}),
    "04 aircraft": Trap(
        (CELLS, "CN", "2026-11-24"), {"fl301": 1250}, edit_rows("fl301_2026", "9903.05.88", "if"), {"fl301": 0},
    ),
    "04 claimed": Trap((CELLS, "CN", "2026-11-24", {"civil_aircraft_share": 1}), {"fl301": 0}),
    "04 a particular article": Trap(
        (min(load_law().lists["S122_PARTICULAR"].codes).ljust(10, "0"), "CN", "2026-03-15"),
        {"s122_surcharge": 1000}, edit_rows("s122_10", "9903.03.04", "if"), {"s122_surcharge": 0},
    ),
    "05 codes lost in scanning": Trap((LAPTOP, "CN", "2026-11-24"), {"assessed": 0}, as_scanned, {"fl301": 1250}),
    **{f"06 {name}": Trap((sibling, origin, entry), {duty: due}, edit_list(listed, exempt.replace(".", "")[:8]),
                          {duty: 0}, (listed,))
       for name, (listed, exempt, sibling, entry, origin, duty, due) in SUFFIXES.items()},
    **{f"06 exempt {name}": Trap((exempt, origin, entry), {duty: 0})
       for name, (_, exempt, _, entry, origin, duty, _) in SUFFIXES.items()},
    "07 list 4B adds to no other list": Trap(
        (SCREWS, "CN", "2025-03-01"), {"s301_l3": 2500, "s301_l4b": 0}, contaminated,
        {"s301_l3": 2500, "s301_l4b": 1500}, acts=BACK,
    ),
    "07 list 4B brought back": Trap((TOYS, "CN", "2025-03-01"), {"s301_l4b": 1500}, acts=BACK),
    "08 a suffix that is listed": Trap(("9403.20.0075", "VN", "2026-06-10"), {"s232_IB": 2500, "assessed": 2500}),
    "08 before its day": Trap(("9403.20.0075", "VN", "2026-06-07"), {"s232_IB": 0}),
    "08 a suffix that is not": Trap(
        (RACKS, "VN", "2026-06-10"), {"s122_surcharge": 1000, "assessed": 1000},
        edit_list("S232_IB_STEEL", "94032000"), {"s232_IB": 2500, "assessed": 2500}, ("S232_IB_STEEL",),
    ),
    "19 motor vehicles without cars": Trap(
        (CAR, "CA", "2026-10-01"), {LIST_338: 0}, only("S338_VEHICLES_2026_09_15", "8703"), {LIST_338: 5000},
    ),
    "19 motor vehicles with honey": Trap(
        (HONEY, "CA", "2026-10-01"), {LIST_338: 5000}, only("S338_VEHICLES_2026_09_15", "8703"), {LIST_338: 0},
    ),
    **{f"19 {name} on {day}": Trap((code, "CA", day), {LIST_338: due}) for name, code, day, due in VEHICLES},
    "20 two statutes charge under a heading": Trap(
        (SILICON, "DE", "2026-11-24"), {}, reused_heading, {"quartz_copy": 1500, "polysilicon_copy": 1500},
    ),
    "20 and an act on the heading ends both": Trap(
        (SILICON, "DE", "2026-11-24"), {}, reused_heading, {"quartz_copy": 0, "polysilicon_copy": 0},
        acts=({"op": "terminate", "measures": {"heading": "9903.45.30"}, "at": "2026-10-01"},),
    ),
    "23 Macau in the reciprocal duty": Trap(
        (TOYS, "MO", "2025-06-01"), {"recip_cn": 1000, "assessed": 1000}, one_china,
        {"recip_cn": 1000, "fent_cn": 2000, "assessed": 3000},
    ),
    "23 and in no other": Trap((TOYS, "MO", "2026-11-24"), {"assessed": 0}, rate_as_china("MO"), {"fl301": 1250}),
    "23 Hong Kong has a heading of its own": Trap(
        (TOYS, "HK", "2026-11-24"), {"9903.05.43": 1250}, rate_as_china("HK"), {"9903.05.31": 1250, "9903.05.43": 0},
    ),
    "24 textiles": Trap(
        ("6109.10.0012", "HN", "2026-11-20"), {"fl301": 1000}, edit_rows("fl301_2026", "9903.05.95", "if"),
        {"fl301": 0},
    ),
    "24 textiles, claimed": Trap(("6109.10.0012", "HN", "2026-11-20", {"fta_share": 1}), {"fl301": 0}),
    "24 pharma": Trap(
        ("2804.10.0000", "IN", "2026-11-20"), {"fl301": 1000}, edit_rows("fl301_2026", "9903.05.89", "if"),
        {"fl301": 0},
    ),
    "24 pharma, claimed": Trap(("2804.10.0000", "IN", "2026-11-20", {"pharma_use_share": 1}), {"fl301": 0}),
    "09 from April 2026 metals pay on the full value": Trap(
        (SCREWS, "VN", "2026-11-24", HALF), {"mfn_col1": 850, "s232_IA": 5000, "fl301": 0}, by_content,
        {"mfn_col1": 850, "s232_IA": 2500, "fl301": 625},
    ),
    "09 from June 2025 chapter 73 pays on its steel": Trap(
        (SCREWS, "VN", "2025-10-01", HALF), {"s232_steel": 2500, "recip_country": 1000, "assessed": 4350},
        edit_rows("s232_steel_50", "9903.81.90", "base"), {"s232_steel": 5000, "assessed": 5850},
    ),
    "10 a floor is on the rate that applies": Trap(
        (CAR, "KR", "2026-06-01", {"fta_share": 1}), {"s232_auto": 1500},
        edit_rows("cars_kr", "9903.94.61", kind="add", rate="12.5%"), {"s232_auto": 1250},
    ),
    "10 without the preference": Trap(
        (CAR, "KR", "2026-06-01"), {"assessed": 1500},
        edit_rows("cars_kr", "9903.94.61", kind="add", rate="12.5%"), {"assessed": 1500},
    ),
    "10 a floor over a specific rate": Trap(
        (HONEY, "DE", "2025-10-01", {}, {"quantity": 5000}), {"mfn_col1": 95, "recip_eu": 1405},
        edit_rows("recip_eu_floor", "9903.02.20", kind="add"), {"mfn_col1": 95, "recip_eu": 1500},
    ),
    "11 British cars are additive": Trap(
        (CAR, "GB", "2026-06-01", {"in_quota_share": 1}), {"assessed": 1000},
        edit_rows("cars_gb", "9903.94.31", kind="topup_to"), {"assessed": 750},
    ),
    "11 Japanese cars are all-in": Trap(
        (CAR, "JP", "2026-06-01"), {"assessed": 1500}, edit_rows("cars_jp", "9903.94.41", kind="add"),
        {"assessed": 1750},
    ),
    "11 Japanese parts are all-in": Trap(
        ("8708.30.5090", "JP", "2026-06-01"), {"assessed": 1500}, edit_rows("parts_jp", "9903.94.43", kind="add"),
        {"assessed": 1750},
    ),
    # The listed furniture is free of ordinary duty; a dutiable good put on the list shows the kind of the rate.
    "11 British furniture pays ten on top": Trap(
        (TOWELS, "GB", "2026-06-01"), {"s232_upholstered": 0}, edit_list("S232_UPHOLSTERED", "63026000"),
        {"mfn_col1": 910, "s232_upholstered": 1000}, ("S232_UPHOLSTERED",),
    ),
    "11 British furniture is not all-in": Trap(
        (TOWELS, "GB", "2026-06-01"), {},
        both(edit_list("S232_UPHOLSTERED", "63026000"),
             edit_rows("s232_upholstered_tw", "9903.76.20", kind="topup_to")),
        {"s232_upholstered": 90}, ("S232_UPHOLSTERED",),
    ),
    "12 fentanyl before metals until June 2025": Trap(
        (SCREWS, "CA", "2025-05-20", HALF), {"mfn_col1": 850, "fent_ca": 2500, "assessed": 3350},
        drop("fentanyl_before_metals", metals_before_fentanyl="from"), {"s232_steel": 2500, "assessed": 3350},
    ),
    "12 metals before fentanyl after": Trap(
        (SCREWS, "CA", "2025-06-20", HALF), {"fent_ca": 1250, "s232_steel": 2500, "assessed": 4600},
        drop("metals_before_fentanyl", fentanyl_before_metals="events"), {"fent_ca": 2500, "assessed": 3350},
    ),
    # The duty on China over fentanyl is on the full value of goods of Section 232.
    "13 metals": Trap((SCREWS, "CN", "2025-10-01", HALF), {"fent_cn": 2000}, off_232, {"fent_cn": 1000}),
    "13 cars": Trap((CAR, "CN", "2025-10-01"), {"fent_cn": 2000}, off_232, {"fent_cn": 0}),
    "13 wood": Trap(("4407.11.0001", "CN", "2025-12-01"), {"fent_cn": 1000}, off_232, {"fent_cn": 0}),
    # The USMCA does not free of everything.
    "14 metals": Trap((SCREWS, "CA", "2026-11-24", USMCA), {"s232_IA": 5000}, freed("s232_IA_50"), {"s232_IA": 0}),
    "14 metals of 2025": Trap(
        (SCREWS, "CA", "2025-05-20", USMCA), {"s232_steel": 2500}, freed("s232_steel_25"), {"s232_steel": 0},
    ),
    "14 dairy": Trap(
        ("0402.21.2500", "CA", "2026-11-24", USMCA), {"s338_ca_dairy": 5000}, freed("s338_ca_dairy_50"),
        {"s338_ca_dairy": 0},
    ),
    "14 heavy vehicles": Trap(
        ("8704.23.0100", "MX", "2026-11-24", {**USMCA, "us_content_share": 0.4}), {"s232_mhdv": 1500},
        freed("s232_mhdv_2025"), {"s232_mhdv": 0},
    ),
    "15 the four-year review replaces the lists": Trap(
        ("8541.10.0080", "CN", "2026-11-20"), {"s301_n31_f": 5000, "assessed": 5000}, drop("one_china_301"),
        {"s301_n31_f": 5000, "s301_l3": 2500},
    ),
    "15 the heading of chassis adds to list 3": Trap(
        ("8716.39.0090", "CN", "2025-11-09", {"chassis_share": 1}), {"9903.91.12": 10000, "9903.88.03": 2500},
        lambda raw: rule(raw, "one_china_301")["one_of"].insert(0, "chassis_100"), {"9903.88.03": 0},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_of_goods_and_stacking_is_not_in_the_law(name: str) -> None:
    TRAPS[name].springs()


def test_trap_05_the_switch_over_lost_codes_is_retired_with_its_reason() -> None:
    head = "schema: tariffs.scenario/v1\nid: old\ntitle: Old\nbasis: hypothesis\nchanges:\n"
    old = parse_scenario(f"{head}  - {{op: set_switch, name: fl301_lost_lines, value: exempt}}\n", "old.yaml")
    with pytest.raises(ScenarioError, match=r"52\(e\)") as caught:
        load_law().with_switches({"fl301_lost_lines": "exempt"})
    assert (caught.value.reason, caught.value.line) == ("SWITCH_RETIRED", None)
    with pytest.raises(ScenarioError, match=r"52\(e\)") as caught:
        apply_scenario(load_law(), old)
    assert (caught.value.reason, caught.value.line) == ("SWITCH_RETIRED", 6)
