"""The loader refuses law data that names a country, group, list, claim, switch or measure that does not exist.

Each case puts one thing of the embedded law wrong; the error must name the file and the place, and a name that is near.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tariffs.engine.errors import LawError
from tariffs.engine.law.loader import digest_of
from tests.law.real_law import raw_law
from tests.law.traps.bench import Raw, broken, measure, period

Change = Callable[[Raw], object]


def parts(raw: Raw, kind: str) -> list[Raw]:
    """The rows written out, the copies of rows, the events of measures, the measures, or the rules."""
    periods = [part for one in raw["measures"] for part in one.get("periods", [])]
    found: dict[str, list[Raw]] = {
        "row": [row for part in periods if isinstance(part.get("rows"), list) for row in part["rows"]],
        "copy": [part["rows"] for part in periods if isinstance(part.get("rows"), dict)],
        "event": [act for one in raw["measures"] for act in one.get("events", []) if act["op"] == "exempt"],
        "measure": raw["measures"],
        "rule": raw["rules"],
    }
    return found[kind]


def put(kind: str, key: str, value: Any, has: str = "") -> Change:
    """Put a value under a key of the first part that has it, or that has another key."""

    def change(raw: Raw) -> None:
        next(one for one in parts(raw, kind) if (has or key) in one)[key] = value

    return change


def of_canada(**values: Any) -> Change:
    """Change the use of a row set by the duty on Canada."""
    return lambda raw: period(raw, "fent_ca_25")["rows"][0].update(values)


def of_market(**values: Any) -> Change:
    return lambda raw: raw["markets"].update(cn=raw["markets"]["cn"] | values)


def of_note(**values: Any) -> Change:
    return lambda raw: raw.update(line_notes=[raw["line_notes"][0] | values])


def two_of_one_name(raw: Raw) -> None:
    first, second, *_ = next(one["periods"] for one in raw["measures"] if len(one.get("periods", [])) > 1)
    second["id"] = first["id"]


# Files that the error is of, its place, the change, and what the error names: the wrong word and the nearest right one.
CASES: list[tuple[str, str, Change, tuple[str, ...]]] = [
    ("measures/", ".origins", put("row", "origins", ["XQ"]), ("XQ",)),
    ("measures/", ".origins", put("row", "origins", ["CN_HKG"]), ("CN_HKG", "CN_HK")),
    ("measures/", ".not_origins", put("row", "not_origins", ["XQ"]), ("XQ",)),
    ("measures/", ".products", put("row", "products", ["NO_SUCH_LIST"]), ("NO_SUCH_LIST",)),
    ("measures/", ".not_products", put("row", "not_products", ["NO_SUCH_LIST"]), ("NO_SUCH_LIST",)),
    ("measures/", ".if", put("row", "if", ["usmca_shar"]), ("usmca_shar", "usmca_share")),
    ("measures/", ".if", put("row", "if", ["smelt_cast_origin == XQ"]), ("XQ",)),
    ("measures/", ".if", put("row", "if", ["chapter98 == 98XX"]), ("98XX",)),
    ("measures/", ".rows[", put("row", "by_origin", {"XQ": ["15%", "9903.02.30"]}, has="rate"), ("XQ",)),
    ("measures/", ".heading", put("row", "heading", "9903.1.25"), ("9903.1.25",)),
    ("measures/", ".heading_at_zero", put("row", "heading_at_zero", "9903.1.25"), ("9903.1.25",)),
    ("measures/", ".split_heading", put("row", "split_heading", "9903.1.25"), ("9903.1.25",)),
    ("measures/", ".use", put("row", "use", "recip_apartt"), ("recip_apartt", "recip_apart")),
    ("measures/", ".with", of_canada(**{"with": {"apart": "ENERGY_CA", "apartt": "CA"}}), ("apartt",)),
    ("measures/", ".with", lambda raw: period(raw, "fent_ca_25")["rows"][0].pop("with"), ("$apart",)),
    ("measures/", ".not_products", of_canada(**{"with": {"apart": "ENERGY_CB"}}), ("ENERGY_CB", "ENERGY_CA")),
    ("measures/", "row_sets.", lambda raw: raw["row_sets"]["cars_relief"][0].update(products=["NO_SUCH"]),
     ("NO_SUCH",)),
    ("measures/", ".copy", put("copy", "copy", "s201_solar_14_26"), ("s201_solar_14_26", "s201_solar_14_25")),
    ("measures/", ".set.rate", put("copy", "set", {"rate": {"99%": "1%"}}), ("99%",)),
    ("measures/", ".events[", put("event", "measures", {"origins": ["XQ"]}), ("XQ",)),
    ("measures/", ".events[", put("event", "measures", {"products": ["NO_SUCH_LIST"]}), ("NO_SUCH_LIST",)),
    ("measures/", ".events[", put("event", "measures", {"id": "no_such"}), ("no_such",)),
    ("measures/", ".events[", put("event", "if", ["wishful"]), ("wishful",)),
    ("measures/", ".heading", put("event", "heading", "9903.1.25"), ("9903.1.25",)),
    ("measures/", ".switch.no_such", put("measure", "switch", {"no_such": "on"}), ("no_such",)),
    ("measures/", ".tested_on", put("measure", "tested_on", "import_data"), ("import_data", "import_date")),
    ("measures/canada.yaml", ".touches.origins", put("measure", "touches", {"origins": ["XQ"]}), ("XQ",)),
    ("measures/canada.yaml", ".destination",
     lambda raw: measure(raw, "ca.surtax").update(destination="no_such"), ("no_such",)),
    ("measures/", "", two_of_one_name, ("have the name",)),
    ("stacking.yaml", ".switch.", put("rule", "switch", {"truce_extension": "maybe"}), ("maybe",)),
    ("stacking.yaml", ".when", put("rule", "when", ["no_such"]), ("no_such",)),
    ("stacking.yaml", ".one_of", put("rule", "one_of", ["recip_cnn"]), ("recip_cnn", "recip_cn")),
    ("stacking.yaml", ".if", put("rule", "if", ["wishful"], has="when"), ("wishful",)),
    ("stacking.yaml", "rules.", put("rule", "heading", "9903.1.25"), ("9903.1.25",)),
    ("claims.yaml", "claims.usmca_share.ask.origins",
     lambda raw: raw["claims"]["usmca_share"]["ask"].update(origins=["CA", "XQ"]), ("XQ",)),
    ("claims.yaml", "claims.usmca_share.reference",
     lambda raw: raw["claims"]["usmca_share"].update(reference="no_such"), ("no_such",)),
    ("references.yaml", "references.us_content.0.40.rules[0].origins",
     lambda raw: raw["references"]["us_content"]["variants"]["0.40"]["rules"][0].update(origins=["XQ"]), ("XQ",)),
    ("references.yaml", "references.us_content.switch",
     lambda raw: raw["references"]["us_content"].update(switch="no_such"), ("no_such",)),
    ("groups.yaml", "groups.EU.members", lambda raw: raw["groups"]["EU"]["members"].append("XQ"), ("XQ",)),
    ("groups.yaml", "groups.CA", lambda raw: raw["groups"].update(CA={"members": ["CA"]}), ("CA",)),
    ("groups.yaml", "programs.S.members", lambda raw: raw["programs"]["S"]["members"].append("XQ"), ("XQ",)),
    ("groups.yaml", "programs.S.claim", lambda raw: raw["programs"]["S"].update(claim="wishful"), ("wishful",)),
    ("constraints.yaml", "constraints[0].origins", lambda raw: raw["constraints"][0].update(origins=["XQ"]), ("XQ",)),
    ("constraints.yaml", "constraints[0].measure",
     lambda raw: raw["constraints"][0].update(measure="no_such"), ("no_such",)),
    ("markets/cn.yaml", "markets.cn.ordinary[0].products",
     lambda raw: raw["markets"]["cn"]["ordinary"][0].update(products=["12.34.5678.90123"]), ("12.34.5678.90123",)),
    ("markets/cn.yaml", "markets.cn.clock", of_market(clock="Mars/Olympus"), ()),
    ("markets/cn.yaml", "markets.cn.base", of_market(base="exw"), ()),
    ("markets/cn.yaml", "markets.cn.taxes[0].products", of_market(taxes=[{"products": ["xx"], "rate": "9%"}]), ()),
    ("markets/cn.yaml", "markets.cn.preference.note",
     of_market(preference={"claim": "in_quota_share", "text": "x", "note": "NO_SUCH"}), ()),
    ("markets/cn.yaml", "markets.cn.colour", of_market(colour="red"), ()),
    ("line_notes.yaml", "line_notes[0]", of_note(reason="NO_SUCH_NOTE"), ("NO_SUCH_NOTE",)),
    ("line_notes.yaml", "line_notes[0]", of_note(origins=["XQ"]), ("XQ",)),
    ("line_notes.yaml", "line_notes[0]", of_note(products=["NO_LIST"]), ("NO_LIST",)),
    ("line_notes.yaml", "line_notes[0]", of_note(until="2025-01-01"), ("unknown key",)),
    ("line_notes.yaml", "line_notes[0]", of_note(conf="Z"), ("'Z' is not one of",)),
    ("port_fees.yaml", "port_fees", lambda raw: raw["port_fees"][0].update(measure="no_such"), ("no_such",)),
    ("port_calls.yaml", "port_calls[0].kind", lambda raw: raw["port_calls"][0].update(kind="canoe"), ("canoe",)),
    ("refunds.yaml", "refunds.authority", lambda raw: raw["refunds"].update(authority="no_such"), ("no_such",)),
]  # fmt: skip


@pytest.mark.parametrize(("file", "path", "change", "named"), CASES)
def test_a_wrong_name_is_a_load_error_with_file_place_and_nearest_name(
    file: str, path: str, change: Change, named: tuple[str, ...]
) -> None:
    with pytest.raises(LawError) as caught:
        broken(change)
    error = caught.value
    assert error.reason == "LAW_INVALID"
    assert error.message.startswith(file)
    assert path in f"{error.field} {error.message}"
    assert [word for word in named if word not in f"{error.field} {error.message} {error.fix}"] == []


def test_the_digest_of_the_law_does_not_depend_on_its_files() -> None:
    raw = raw_law()
    assert digest_of({**raw, "files": {}}) == digest_of(raw)
