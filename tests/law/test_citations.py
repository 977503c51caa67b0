"""Each layer cites the acts that made it what it is, also where several acts begin at one instant."""

from __future__ import annotations

import pytest

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import Law, load_law
from tariffs.engine.law.documents import spelled_out
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tests.law.real_law import raw_law
from tests.unit.laws import at, changed, make_law, measure

AIRCRAFT = {"civil_aircraft_share": "1", "aluminum_share": "1"}


def test_aircraft_of_partners_cite_their_own_notice() -> None:
    """The three reliefs begin at one instant; the notices are those of the Federal Register."""
    headings = {"KR": "9903.02.81", "CH": "9903.02.85", "LI": "9903.02.90"}
    notices = {"KR": "FR 2025-21940", "CH": "FR 2025-23316", "LI": "FR 2025-23316"}
    for origin, notice in notices.items():
        line = EntryLine("7604101000", origin, "10000", "2025-12-20", claims=AIRCRAFT)
        (layer,) = (one for one in quote_line(load_law(), line).layers if one.measure == "s232_alu")
        assert layer.heading == headings[origin]
        assert {one for one in notices.values() if one in layer.citations} == {notice}


def test_a_key_is_spelled_out_with_its_place_and_where_it_was_published() -> None:
    documents = {
        "eo_14257": {"name": "EO 14257", "published": "90 FR 15041"},
        "cfr_19_24_23": {"name": "19 CFR 24.23"},
    }
    for written, shown in {
        "eo_14257 sec. 3(b)": "EO 14257 sec. 3(b) (90 FR 15041)",
        "cfr_19_24_23(c)(1)": "19 CFR 24.23(c)(1)",
        "Reuters, 2026-09-10": "Reuters, 2026-09-10",
        "heading 9903.54.02": "heading 9903.54.02",
    }.items():
        assert spelled_out(written, documents, "cite") == shown
    with pytest.raises(ScenarioError, match="no source 'eo_14275'") as caught:
        spelled_out("eo_14275", documents, "cite")
    assert "eo_14257" in caught.value.fix
    assert spelled_out("a_law without_documents", {}, "cite") == "a_law without_documents"


def test_documents_of_the_law_have_day_title_and_address_where_they_are_public_acts() -> None:
    documents = raw_law()["sources"]
    kinds = ("eo_", "fr_", "csms_", "pub_l_", "proc_")
    acts = {key: one for key, one in documents.items() if key.startswith(kinds)}
    assert len(acts) > 150
    assert [key for key, one in acts.items() if not ("title" in one and "address" in one)] == []
    assert [key for key, one in acts.items() if key.startswith("eo_") and "day" not in one] == []


def test_rows_of_two_acts_of_one_verb_and_instant_cite_their_own() -> None:
    exempt = {"op": "exempt", "from": "2025-06-01", "conf": "B"}

    def cited(law: Law) -> dict[str, tuple[str, ...]]:
        (active,) = law.in_force(at("2025-07-01")).actives
        reliefs = [row for row in active.rows if row.relief]
        return {origin: active.citations(row) for row in reliefs for origin in row.scope.origins[0]}

    events = [{**exempt, "measures": {"origins": [x]}, "cite": [f"Notice on {x}"]} for x in ("AA", "BB")]
    law = make_law([measure("duty", [{"rate": "20%"}], events=events)])
    wanted = {"AA": ("Notice on AA",), "BB": ("Notice on BB",)}
    assert cited(law) == wanted
    law = changed(law, {"op": "exempt", "from": "2025-06-01", "measures": {"id": "duty", "origins": ["CC"]}})
    assert wanted.items() <= cited(law).items()
