"""Each layer cites the acts that made it what it is, also where several acts begin at one instant."""

from __future__ import annotations

import pytest

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import load_law
from tariffs.engine.law.documents import spelled_out
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tests.law.real_law import raw_law
from tests.unit.laws import at, changed, make_law, measure

AIRCRAFT = {"civil_aircraft_share": "1", "aluminum_share": "1"}


@pytest.mark.parametrize(
    ("origin", "heading", "cites", "not_cited"),
    [
        ("KR", "9903.02.81", "FR 2025-21940", "FR 2025-23316"),
        ("CH", "9903.02.85", "FR 2025-23316", "FR 2025-21940"),
        ("LI", "9903.02.90", "FR 2025-23316", "FR 2025-21940"),
    ],
)  # fmt: skip
def test_aircraft_of_partners_cite_their_own_notice(
    origin: str, heading: str, cites: str, not_cited: str
) -> None:
    """The three reliefs begin at one instant; the notices are those of the Federal Register."""
    quote = quote_line(load_law(), EntryLine("7604101000", origin, "10000", "2025-12-20", claims=AIRCRAFT))
    (layer,) = (layer for layer in quote.layers if layer.measure == "s232_alu")
    assert layer.heading == heading
    assert cites in layer.citations
    assert not_cited not in layer.citations


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
    events = [
        {**exempt, "measures": {"origins": ["AA"]}, "cite": ["Notice on AA"]},
        {**exempt, "measures": {"origins": ["BB"]}, "cite": ["Notice on BB"]},
    ]
    law = make_law([measure("duty", [{"rate": "20%"}], events=events)])
    (active,) = law.in_force(at("2025-07-01")).actives
    found: dict[frozenset[str], tuple[str, ...]] = {
        frozenset(*row.scope.origins): active.citations(row) for row in active.rows if row.relief
    }
    assert found == {frozenset({"AA"}): ("Notice on AA",), frozenset({"BB"}): ("Notice on BB",)}
    law = changed(law, {"op": "exempt", "from": "2025-06-01", "measures": {"id": "duty", "origins": ["CC"]}})
    (active,) = law.in_force(at("2025-07-01")).actives
    assert (
        found.items()
        <= {frozenset(*row.scope.origins): active.citations(row) for row in active.rows if row.relief}.items()
    )
