"""The loader refuses law data that names a country, group, list, claim, switch or measure that does not exist.

Each case puts one name of the embedded law wrong; the error must name the file and the place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tariffs.engine.errors import LawError
from tariffs.engine.law.loader import digest_of
from tests.law.real_law import raw_law
from tests.law.traps.bench import Raw, broken, period


def _rows(raw: Raw) -> Iterator[tuple[Raw, Raw]]:
    for measure in raw["measures"]:
        for one in measure.get("periods", []):
            rows = one.get("rows", [])
            for row in rows if isinstance(rows, list) else []:
                yield measure, row


def _first_row(raw: Raw, key: str) -> Raw:
    """The first row that has a key with a list of names."""
    return next(row for _, row in _rows(raw) if isinstance(row.get(key), list))


def _mistype_row(key: str, name: str) -> Callable[[Raw], None]:
    def change(raw: Raw) -> None:
        row = _first_row(raw, key)
        row[key] = [*row[key], name]

    return change


def _mistype_origin_of_a_table(raw: Raw) -> None:
    row = next(row for _, row in _rows(raw) if "rate" in row)
    row["by_origin"] = {"JP": ["15%", "9903.02.30"], "XQ": ["15%", "9903.02.30"]}


def _mistype_event(key: str, name: Any) -> Callable[[Raw], None]:
    def change(raw: Raw) -> None:
        measure = next(m for m in raw["measures"] if any(e["op"] == "exempt" for e in m.get("events", [])))
        event = next(e for e in measure["events"] if e["op"] == "exempt")
        event["measures"] = {**event.get("measures", {}), key: name}

    return change


def _mistype_share_rule(raw: Raw) -> None:
    raw["references"]["us_content"]["variants"]["0.40"]["rules"][0]["origins"] = ["CA", "XQ"]


def _mistype_row_set(raw: Raw) -> None:
    raw["row_sets"]["cars_relief"][0]["products"] = ["NO_SUCH_LIST"]


def _mistype_text(part: str, key: str, value: Any) -> Callable[[Raw], None]:
    """Put a value under a key of the first row, row set use or copied rows that has it."""

    def change(raw: Raw) -> None:
        periods = [p for m in raw["measures"] for p in m.get("periods", [])]
        rows = [row for p in periods if isinstance(p.get("rows"), list) for row in p["rows"]]
        copies = [p["rows"] for p in periods if isinstance(p.get("rows"), dict)]
        found = next(one for one in {"row": rows, "copy": copies}[part] if key in one)
        found[key] = value

    return change


def _mistype_event_text(key: str, value: Any) -> Callable[[Raw], None]:
    def change(raw: Raw) -> None:
        next(e for m in raw["measures"] for e in m.get("events", []) if e["op"] == "exempt" and key in e)[
            key
        ] = value

    return change


CASES: list[tuple[str, str, str, Callable[[Raw], object]]] = [
    ("XQ", "measures/", ".origins", _mistype_row("origins", "XQ")),
    ("XQ", "measures/", ".not_origins", _mistype_row("not_origins", "XQ")),
    ("NO_SUCH_LIST", "measures/", ".products", _mistype_row("products", "NO_SUCH_LIST")),
    ("NO_SUCH_LIST", "measures/", ".not_products", _mistype_row("not_products", "NO_SUCH_LIST")),
    ("wishful", "measures/", ".if", _mistype_row("if", "wishful")),
    ("XQ", "measures/", ".rows[", _mistype_origin_of_a_table),
    ("NO_SUCH_LIST", "measures/", "row_sets.", _mistype_row_set),
    ("XQ", "measures/", ".events[", _mistype_event("origins", ["XQ"])),
    ("NO_SUCH_LIST", "measures/", ".events[", _mistype_event("products", ["NO_SUCH_LIST"])),
    ("XQ", "measures/canada.yaml", ".touches.origins",
     lambda raw: next(m for m in raw["measures"] if "touches" in m)["touches"].update(origins=["XQ"])),
    ("no_such", "measures/", ".switch.no_such",
     lambda raw: next(m for m in raw["measures"] if m.get("switch"))["switch"].update(no_such="on")),
    ("maybe", "stacking.yaml", ".switch.",
     lambda raw: next(r for r in raw["rules"] if r.get("switch")).update(switch={"truce_extension": "maybe"})),
    ("no_such", "stacking.yaml", ".when",
     lambda raw: next(r for r in raw["rules"] if r.get("when")).update(when=["no_such"])),
    ("wishful", "stacking.yaml", ".if",
     lambda raw: next(r for r in raw["rules"] if r.get("when"))["if"].append("wishful")
     if "if" in next(r for r in raw["rules"] if r.get("when"))
     else next(r for r in raw["rules"] if r.get("when")).update({"if": ["wishful"]})),
    ("XQ", "claims.yaml", "claims.usmca_share.ask.origins",
     lambda raw: raw["claims"]["usmca_share"]["ask"].update(origins=["CA", "XQ"])),
    ("no_such", "claims.yaml", "claims.usmca_share.reference",
     lambda raw: raw["claims"]["usmca_share"].update(reference="no_such")),
    ("XQ", "references.yaml", "references.us_content.0.40.rules[0].origins", _mistype_share_rule),
    ("no_such", "references.yaml", "references.us_content.switch",
     lambda raw: raw["references"]["us_content"].update(switch="no_such")),
    ("XQ", "groups.yaml", "groups.EU.members", lambda raw: raw["groups"]["EU"]["members"].append("XQ")),
    ("XQ", "groups.yaml", "programs.S.members", lambda raw: raw["programs"]["S"]["members"].append("XQ")),
    ("wishful", "groups.yaml", "programs.S.claim", lambda raw: raw["programs"]["S"].update(claim="wishful")),
    ("XQ", "constraints.yaml", "constraints[0].origins", lambda raw: raw["constraints"][0].update(origins=["XQ"])),
    ("no_such", "constraints.yaml", "constraints[0].measure",
     lambda raw: raw["constraints"][0].update(measure="no_such")),
    ("12.34.5678.90123", "markets/cn.yaml", "markets.cn.ordinary[0].products",
     lambda raw: raw["markets"]["cn"]["ordinary"][0].update(products=["12.34.5678.90123"])),
    ("no_such", "measures/canada.yaml", ".destination",
     lambda raw: next(m for m in raw["measures"] if m["id"] == "ca.surtax").update(destination="no_such")),
    ("no_such", "port_fees.yaml", "port_fees", lambda raw: raw["port_fees"][0].update(measure="no_such")),
    ("canoe", "port_calls.yaml", "port_calls[0].kind", lambda raw: raw["port_calls"][0].update(kind="canoe")),
    ("recip_apartt", "measures/", ".use", _mistype_text("row", "use", "recip_apartt")),
    ("apartt", "measures/", ".with",
     lambda raw: period(raw, "fent_ca_25")["rows"][0].update({"with": {"apart": "ENERGY_CA", "apartt": "CA"}})),
    ("$apart", "measures/", ".with", lambda raw: period(raw, "fent_ca_25")["rows"][0].pop("with")),
    ("ENERGY_CB", "measures/", ".not_products",
     lambda raw: period(raw, "fent_ca_25")["rows"][0].update({"with": {"apart": "ENERGY_CB"}})),
    ("s301_l3_11", "measures/", ".copy", _mistype_text("copy", "copy", "s301_l3_11")),
    ("99%", "measures/", ".set.rate", _mistype_text("copy", "set", {"rate": {"99%": "1%"}})),
    ("9903.1.25", "measures/", ".heading", _mistype_text("row", "heading", "9903.1.25")),
    ("9903.1.25", "measures/", ".heading_at_zero", _mistype_text("row", "heading_at_zero", "9903.1.25")),
    ("9903.1.25", "measures/", ".split_heading", _mistype_text("row", "split_heading", "9903.1.25")),
    ("9903.1.25", "measures/", ".heading", _mistype_event_text("heading", "9903.1.25")),
    ("wishful", "measures/", ".events[", _mistype_event_text("if", ["wishful"])),
    ("XQ", "measures/", ".if", _mistype_text("row", "if", ["smelt_cast_origin == XQ"])),
    ("98XX", "measures/", ".if", _mistype_text("row", "if", ["chapter98 == 98XX"])),
    ("9903.1.25", "stacking.yaml", "rules.",
     lambda raw: next(r for r in raw["rules"] if r.get("heading")).update(heading="9903.1.25")),
    ("no_such", "measures/", ".events[", _mistype_event_text("measures", {"id": "no_such"})),
    ("CA", "groups.yaml", "groups.CA", lambda raw: raw["groups"].update(CA={"members": ["CA"]})),
    ("import_data", "measures/", ".tested_on",
     lambda raw: next(m for m in raw["measures"] if "tested_on" in m).update(tested_on="import_data")),
    ("no_such", "refunds.yaml", "refunds.authority", lambda raw: raw["refunds"].update(authority="no_such")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "file", "path", "change"), CASES, ids=[f"{file}{path}:{name}" for name, file, path, _ in CASES]
)
def test_an_unknown_name_is_a_load_error_with_file_and_place(
    name: str, file: str, path: str, change: Callable[[Raw], object]
) -> None:
    with pytest.raises(LawError) as caught:
        broken(change)
    error = caught.value
    assert error.reason == "LAW_INVALID"
    assert error.message.startswith(file)
    assert path in str(error.field)
    assert name in f"{error.field} {error.message}"


NEAREST: list[tuple[str, Callable[[Raw], object]]] = [
    ("CN_HK", _mistype_row("origins", "CN_HKG")),
    ("ENERGY_CA", lambda raw: period(raw, "fent_ca_25")["rows"][0].update({"with": {"apart": "ENERGY_CB"}})),
    ("usmca_share", _mistype_row("if", "usmca_shar")),
    ("recip_apart", _mistype_text("row", "use", "recip_apartt")),
    ("s201_solar_14_25", _mistype_text("copy", "copy", "s201_solar_14_26")),
    ("recip_cn", lambda raw: next(r for r in raw["rules"] if r.get("one_of")).update(one_of=["recip_cnn"])),
    (
        "import_date",
        lambda raw: next(m for m in raw["measures"] if "tested_on" in m).update(tested_on="import_data"),
    ),
]


@pytest.mark.parametrize(("wanted", "change"), NEAREST, ids=[wanted for wanted, _ in NEAREST])
def test_the_error_of_an_unknown_name_suggests_the_nearest(
    wanted: str, change: Callable[[Raw], object]
) -> None:
    with pytest.raises(LawError) as caught:
        broken(change)
    assert wanted in f"{caught.value.message} {caught.value.fix}"


def test_the_digest_of_the_law_does_not_depend_on_its_files() -> None:
    raw = raw_law()
    assert digest_of({**raw, "files": {}}) == digest_of(raw)
