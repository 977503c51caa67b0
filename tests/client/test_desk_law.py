"""Pages of the law: rates of a measure by period, and the codes that it names."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("connectrpc", reason="the extra `web` is not installed")
from tariffs.client import Client, InvalidRequest
from tariffs.client.desk import law_pages
from tariffs.client.desk.access import LoopbackAccess
from tariffs.client.desk.application import Desk
from tariffs.client.results.law import Measure, MeasureRow, Period
from tests.client.test_desk import asked


def test_levels_are_those_of_the_period_in_force_and_a_range_where_rows_differ() -> None:
    def period(start: str, end: str, *charges: str) -> Period:
        rows = tuple(MeasureRow("all goods", one, "", "", "") for one in charges)
        return Period("p", f"{start}T00:01", end and f"{end}T00:01", start, (), "A", rows)

    def drawn(*periods: Period) -> dict[str, str]:
        measure = Measure("m", "M", "ieepa", "import", True, False, "A", (), "", periods, ())
        plot = law_pages._levels(measure, "2025-04-11")
        return {} if plot is None else {name: re.sub(r"\.\d+", "", path) for name, path in plot.lines.items()}

    own = period("2025-01-01", "2025-02-10", "free", "10%")
    # The end that the first wrote is past: the second took its place before.
    assert drawn(own, period("2025-01-21", "", "20%")) == {"rate": "M0,147H200V15H400V15H1000V15"}
    assert [*drawn(own, period("2025-01-21", "", "20%", "up to 5% all-in"))] == [
        "highest rate", "lowest rate that is charged",
    ]  # fmt: skip
    assert drawn(period("2025-01-01", "", "free", "0.22 USD/W")) == {}


@pytest.mark.parametrize(
    ("hts", "answer"),
    [
        ("8471.30.0100", "Yes: 8471300100 is named by ANNEX_II_ELECTRONICS."),
        ("8471", "In part: 8471 is named by ANNEX_II_ELECTRONICS"),
        ("9503.00.0073", "No: the measure names neither 9503000073 nor a part of it."),
    ],
)
def test_a_measure_says_whether_it_names_a_code(hts: str, answer: str) -> None:
    with Client.local() as client:
        status, body = asked(Desk(LoopbackAccess(client)), f"/law/codes?measure=recip&hts={hts}")
    assert status == 200
    assert answer in body.decode()


def test_the_codes_of_a_measure_are_paged_to_their_end() -> None:
    with Client.local() as client:
        found = first = client.measure_codes("fl301", page_size=1000)
        codes = [*first.codes]
        while found.next_page_token:
            found = client.measure_codes("fl301", page_size=1000, page_token=found.next_page_token)
            codes += found.codes
        assert len({*codes}) == len(codes) == first.total_size > 8000
        assert {one.list for one in codes} - {""} == {one.id for one in client.measure("fl301").lists}
        for page_token, hts in (("x", ""), ("-1", ""), ("", "x")):
            with pytest.raises(InvalidRequest):
                client.measure_codes("fl301", page_token=page_token, hts=hts)
