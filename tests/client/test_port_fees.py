"""Port fees: the same result over gRPC, in this process and on the command line."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tariffs.client import Client
from tariffs.client.cli.__main__ import run
from tariffs.client.errors import InvalidRequest

DAY = "2026-12-05"


def test_port_fees_are_the_same_everywhere(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    with Client(server) as remote:
        there = remote.port_fees(DAY, scenario="port-fees-resume")
    here = Client.local().port_fees(DAY, scenario="port-fees-resume")
    assert there == here
    assert {fee.standing for fee in here.fees} == {"collected"}
    assert run(["law", "port-fees", "--on", DAY, "-s", "port-fees-resume", "--json", "--target", server]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(here.to_json_dict()))
    assert run(["law", "port-fees", "--on", DAY, "-s", "port-fees-resume"]) == 0
    shown = capsys.readouterr().out
    assert "577.78" in shown
    assert "TVA" in shown


def test_a_voyage_of_the_caller(capsys: pytest.CaptureFixture[str]) -> None:
    figures = ["--net-tons", "60000", "--teu", "10000", "--calls", "1", "--share", "0.2", "--source", "mine"]
    assert run(["law", "port-fees", "--on", "2025-11-01", "--kind", "operated", *figures, "--json"]) == 0
    (fee,) = json.loads(capsys.readouterr().out)["fees"]
    assert (fee["total"], fee["per_teu"], fee["teu_of_trade"]) == ("3000000.00", "300.00", "60.00")
    assert (fee["per_ton"], fee["ship"], fee["standing"]) == (None, "", "collected")
    assert {figure["source"] for figure in fee["figures"]} == {"mine"}
    abroad = Client.local().port_fees("2025-11-01", kind="linked", ship="bulk", usd_per_unit=Decimal("0.15"))
    assert abroad.fees[0].per_call == 28000 * 400 * Decimal("0.15")


def test_a_fee_that_is_not_collected_says_why() -> None:
    client = Client.local()
    assert {fee.standing for fee in client.port_fees("2026-11-24").fees} == {"suspended"}
    assert {fee.standing for fee in client.port_fees("2025-09-01").fees} == {"not in force"}


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"kind": "submarine"}, "voyage"),
        ({"kind": "operated", "net_tons": "many"}, "voyage.net_tons"),
        ({"kind": "operated", "net_tons": 0}, "voyage.net_tons"),
        ({"kind": "operated", "share": 2}, "voyage"),
    ],
)
def test_what_cannot_be_used_names_its_field(options: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        Client.local().port_fees(DAY, **options)  # type: ignore[arg-type]  # wrong on purpose
    assert [one.field for one in refused.value.violations] == [field]


def test_a_figure_without_a_kind_of_ship_is_not_sent() -> None:
    with pytest.raises(InvalidRequest, match="teu, source given without a kind of ship"):
        Client.local().port_fees(DAY, teu=5, source="mine")
