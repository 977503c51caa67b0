"""Exports over a real port: one line, a table, rows in a stream, and invalid directions."""

from __future__ import annotations

import io
from decimal import Decimal

import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.service.local import LocalServices
from tariffs.v1 import common_pb2, duty_service_pb2
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import Running, points
from tests.service.test_calls import arrow, frame

TABLE = pl.DataFrame(
    {
        "hts": ["1201.90", "1201.90", "8524.11", "8433.51"],
        "origin": ["US", "BR", "US", "US"],
        "customs_value": [1000.0, 3000.0, 1.0, 100.0],
        "ordinary_rate": [None, None, None, 0.05],
    }
)


def soybeans(**changes: str) -> duty_service_pb2.CalculateDutyRequest:
    request = duty_service_pb2.CalculateDutyRequest(direction=common_pb2.DIRECTION_EXPORT)
    fields = {"hts": "1201.90", "origin": "US", "customs_value": "10000", "freight": "420"}
    for name, value in {**fields, "entry": "2027-01-11", **changes}.items():
        setattr(request.line, name, value)
    return request


def test_a_line_of_exports_is_rated_where_it_goes(served: Running) -> None:
    asked = soybeans()
    asked.explain = True
    answer = served.duty.CalculateDuty(asked, timeout=30)
    assert [(layer.measure, layer.rate, layer.amount) for layer in answer.layers] == [
        ("cn.ordinary", "0.03", "312.60"),
        ("cn.s301", "0", "0.00"),
        ("cn.recip", "0.34", "3542.80"),
    ]
    assert dict(answer.landed) == {
        "cif": "10420.00",
        "duty": "3855.40",
        "vat": "1284.79",
        "total": "15560.19",
    }
    assert answer.assessed == answer.owed == answer.min == answer.max == "3855.40"
    assert all(layer.citations and layer.why["text"] for layer in answer.layers)
    assert any("6 digits" in text for text in answer.assumptions)
    assert [note.reason for note in answer.notes] == ["LAW_READ_TO"]
    assert answer.provenance.details["direction"] == "export"
    assert answer.provenance.details["entry"] == "2027-01-11T12:00:00+08:00"


def test_a_line_of_exports_may_go_to_another_market(served: Running) -> None:
    asked = soybeans(hts="7214.20")
    asked.to = "CA"
    answer = served.duty.CalculateDuty(asked, timeout=30)
    assert {layer.measure: layer.amount for layer in answer.layers} == {
        "ca.ordinary": "0.00",
        "ca.metals": "5000.00",
    }
    assert dict(answer.landed) == {"cif": "10420.00", "duty": "5000.00", "gst": "750.00", "total": "16170.00"}
    assert answer.provenance.details["to"] == "CA"


def test_a_destination_without_a_market_is_refused() -> None:
    request = soybeans()
    for request.to, request.direction in (
        ("ZZ", common_pb2.DIRECTION_EXPORT),
        ("CN", common_pb2.DIRECTION_IMPORT),
    ):
        with pytest.raises(InputError) as refused:
            LocalServices().CalculateDuty(request)
        assert (refused.value.reason, refused.value.field) == ("REQUEST_INVALID", "to")


def test_a_line_says_the_ordinary_rate_the_law_lacks(served: Running) -> None:
    answer = served.duty.CalculateDuty(soybeans(hts="8433.51", ordinary_rate="0.05"), timeout=30)
    assert sum(Decimal(layer.rate) for layer in answer.layers) == Decimal("0.69")


@pytest.mark.parametrize(
    ("changes", "direction", "reason", "field"),
    [
        ({"hts": "8524.11"}, common_pb2.DIRECTION_EXPORT, "RATE_NOT_COMPUTABLE", "ordinary_rate"),
        ({"ordinary_rate": "3"}, common_pb2.DIRECTION_EXPORT, "PARAMETER_INVALID", "ordinary_rate"),
        ({"ordinary_rate": "3%"}, common_pb2.DIRECTION_EXPORT, "PARAMETER_INVALID", "ordinary_rate"),
        ({"ordinary_rate": "3"}, common_pb2.DIRECTION_IMPORT, "PARAMETER_INVALID", "ordinary_rate"),
        ({}, common_pb2.DIRECTION_PORT_CALL, "REQUEST_INVALID", "direction"),
        ({}, common_pb2.DIRECTION_CONTROL, "REQUEST_INVALID", "direction"),
        ({}, 99, "REQUEST_INVALID", "direction"),
    ],
)
def test_what_cannot_be_rated_says_why(
    changes: dict[str, str], direction: common_pb2.Direction, reason: str, field: str
) -> None:
    request = soybeans(**changes)
    request.direction = direction
    with pytest.raises(InputError) as refused:
        LocalServices().CalculateDuty(request)
    assert (refused.value.reason, refused.value.field) == (reason, field)


def test_other_charges_have_no_part_in_exports() -> None:
    request = soybeans()
    request.line.other_charges.add(kind=duty_service_pb2.CHARGE_KIND_OTHER, amount="5")
    with pytest.raises(InputError, match="landed cost of imports"):
        LocalServices().CalculateDuty(request)


def simulated(messages: list[pb.SimulateResponse], kind: str) -> pl.DataFrame:
    return frame([getattr(m, kind).arrow for m in messages if m.WhichOneof("content") == kind])


def test_a_table_of_exports_responds(served: Running) -> None:
    request = pb.SimulateRequest(
        points=points(("base", "2026-11-24"), ("base", "2027-01-11")),
        arrow=arrow(TABLE),
        baseline="2025-01-01",
        direction=common_pb2.DIRECTION_EXPORT,
        by=["hts6", "origin"],
    )
    messages = list(served.simulation.Simulate(request, timeout=60))
    groups = simulated(messages, "groups").filter(hts6="120190", origin="US")
    assert groups["effective_rate"].to_list() == pytest.approx([0.13, 0.37])
    assert groups["quantity_hat"][1] < groups["quantity_hat"][0] < 1.0
    assert simulated(messages, "refused")["reason"].to_list() == ["RATE_NOT_COMPUTABLE"]
    assert messages[-1].done.provenance.details["direction"] == "export"


def test_exports_without_a_table_are_the_embedded_ones() -> None:
    request = pb.SimulateRequest(
        points=points(("base", "2026-11-24")),
        direction=common_pb2.DIRECTION_EXPORT,
        to="CA",
        response=pb.RESPONSE_MODEL_NONE,
    )
    messages = list(LocalServices().Simulate(request))
    assert simulated(messages, "groups")["customs_value"].to_list() == [73_170_345_317.0]
    assert "EMBEDDED_EXPORTS" in {note.reason for note in messages[-1].done.notes}


def test_a_control_is_no_direction_of_a_table() -> None:
    request = pb.SimulateRequest(points=points(("base", "")), direction=common_pb2.DIRECTION_CONTROL)
    with pytest.raises(InputError, match="direction is 'control'") as refused:
        list(LocalServices().Simulate(request))
    assert (refused.value.reason, refused.value.field) == ("REQUEST_INVALID", "direction")


def test_a_period_of_exports_is_on_the_clock_of_the_importing_country() -> None:
    request = pb.TimelineRequest(
        scenarios=[common_pb2.ScenarioRef(name="base")],
        start="2025-11-09",
        end="2025-11-12",
        arrow=arrow(TABLE),
        response=pb.RESPONSE_MODEL_NONE,
        direction=common_pb2.DIRECTION_EXPORT,
    )
    messages = list(LocalServices().Timeline(request))
    parts = [m.segments.arrow for m in messages if m.WhichOneof("content") == "segments"]
    rates = frame(parts).filter(origin="US").select("start", "effective_rate").rows()
    assert [start for start, _ in rates] == ["2025-11-09", "2025-11-11"]
    assert rates[0][1] > rates[1][1]


def read(data: bytes) -> pl.DataFrame:
    return pl.read_ipc_stream(io.BytesIO(data))


def test_rows_in_a_stream_may_be_exports(served: Running) -> None:
    config = pb.LinesConfig(points=points(("base", "2026-11-24")), direction=common_pb2.DIRECTION_EXPORT)
    asked = [pb.SimulateLinesRequest(config=config), pb.SimulateLinesRequest(arrow=arrow(TABLE))]
    messages = list(served.simulation.SimulateLines(iter(asked), timeout=60))
    (lines,) = [read(m.lines.arrow) for m in messages if m.WhichOneof("content") == "lines"]
    assert lines["duty"].to_list() == pytest.approx([130.0, 90.0, 45.0])
    assert lines["vat"].to_list() == pytest.approx([0.09 * 1130, 0.09 * 3090, 0.13 * 145])
