"""Errors arrive as a status with a reason of the catalogue, the invalid field and a fix."""

from __future__ import annotations

import io
from typing import Any

import grpc
import polars as pl
import pytest
from google.rpc.code_pb2 import Code

from tariffs.engine.errors import REASONS, InputError, ScenarioError, ServiceError
from tariffs.service.local import LocalServices
from tariffs.service.wire.status import grpc_code, status_of
from tariffs.v1 import law_service_pb2, scenario_service_pb2
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import TIMEOUT, Running, fails, line, no_warm_up, points, running, simulating
from tests.service.stored import arrow

INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("given", "reason", "field"),
    [
        ({"hts": "95"}, "HTS_CODE_MALFORMED", "hts"),
        ({"hts": "9503.00.9999"}, "HTS_CODE_UNKNOWN", "hts"),
        ({"hts": ""}, "REQUEST_INVALID", "hts"),
        ({"hts": "9" * 500}, "REQUEST_INVALID", "hts"),
        ({"origin": "Atlantis"}, "ORIGIN_UNKNOWN", "origin"),
        ({"entry": "soon"}, "ENTRY_DATE_INVALID", "entry_date"),
        ({"entry": "1999-01-01"}, "ENTRY_DATE_OUT_OF_COVERAGE", "entry_date"),
        ({"customs_value": ""}, "CUSTOMS_VALUE_INVALID", "customs_value"),
        ({"customs_value": "-5"}, "CUSTOMS_VALUE_INVALID", "customs_value"),
        ({"customs_value": "1e20"}, "CUSTOMS_VALUE_INVALID", "customs_value"),
        ({"customs_value": "NaN"}, "CUSTOMS_VALUE_INVALID", "customs_value"),
        ({"customs_value": "1,00"}, "CUSTOMS_VALUE_INVALID", "customs_value"),
        ({"quantity": "many"}, "QUANTITY_INVALID", "quantity"),
        ({"freight": "x"}, "CHARGE_INVALID", "freight"),
        ({"mode": 99}, "REQUEST_INVALID", "mode"),
        ({"claims": {"usmca_share": 2}}, "CLAIM_INVALID", "claims.usmca_share"),
        ({"claims": {"others": {"magic": "1"}}}, "CLAIM_UNKNOWN", "claims.magic"),
        ({"claims": {"processing_value": "x"}}, "CLAIM_INVALID", "claims.processing_value"),
    ],
)
def test_a_wrong_line_is_told_by_reason_and_field(
    served: Running, given: dict[str, Any], reason: str, field: str
) -> None:
    fault = fails(lambda: served.duty.CalculateDuty(line(**given), timeout=TIMEOUT))
    assert (fault.code, fault.reason, fault.fields) == (INVALID, reason, [field])
    assert fault.message
    assert fault.metadata["fix"]


def test_an_unknown_scenario_comes_with_the_nearest_names(served: Running) -> None:
    request = line()
    request.scenario.name = "truce-lapse"
    fault = fails(lambda: served.duty.CalculateDuty(request, timeout=TIMEOUT))
    assert (fault.code, fault.reason) == (NOT_FOUND, "SCENARIO_NOT_FOUND")
    assert "truce-lapses" in fault.metadata["nearest"]


@pytest.mark.parametrize("name", ["/etc/passwd", "../base", "base.yaml"])
def test_a_scenario_name_never_reaches_the_disk(served: Running, name: str) -> None:
    fault = fails(
        lambda: served.scenarios.GetScenario(
            scenario_service_pb2.GetScenarioRequest(id=name), timeout=TIMEOUT
        )
    )
    assert fault.reason == "SCENARIO_NOT_FOUND"


def test_broken_yaml_is_told_with_line_and_column(served: Running) -> None:
    request = line()
    request.scenario.yaml = "schema: tariffs.scenario/v1\nid: [x\n"
    fault = fails(lambda: served.duty.CalculateDuty(request, timeout=TIMEOUT))
    assert (fault.code, fault.reason) == (INVALID, "SCENARIO_SYNTAX")
    assert int(fault.metadata["line"]) >= 2


def test_an_unknown_switch_and_a_wrong_mask_are_told(served: Running) -> None:
    switched, masked = line(), line()
    switched.switches["no_such_switch"] = "on"
    masked.read_mask.paths.append("layers.colour")
    assert fails(lambda: served.duty.CalculateDuty(switched, timeout=TIMEOUT)).reason == "SWITCH_UNKNOWN"
    assert fails(lambda: served.duty.CalculateDuty(masked, timeout=TIMEOUT)).fields == ["read_mask"]


def test_an_unknown_measure_comes_with_the_nearest_ids(served: Running) -> None:
    fault = fails(
        lambda: served.law.GetMeasure(law_service_pb2.GetMeasureRequest(id="fent_cm"), timeout=TIMEOUT)
    )
    assert (fault.code, fault.reason) == (NOT_FOUND, "MEASURE_NOT_FOUND")
    assert "fent_cn" in fault.metadata["nearest"]


GOOD = pl.DataFrame({"hts": ["9503000073"], "origin": ["CN"], "customs_value": [10_000.0]})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"points": []}, "REQUEST_INVALID"),
        ({"points": points(*[("base", "")] * 1001)}, "REQUEST_INVALID"),
        ({"points": points(("nothing", ""))}, "SCENARIO_NOT_FOUND"),
        ({"points": points(("base", "2031-01-01"))}, "ENTRY_DATE_OUT_OF_COVERAGE"),
        ({"arrow": b"not arrow at all"}, "ARROW_MALFORMED"),
        ({"arrow": arrow(GOOD)[:200]}, "ARROW_MALFORMED"),
        ({"arrow": b"\0" * ((1 << 20) + 1)}, "BATCH_TOO_LARGE"),
        ({"arrow": arrow(GOOD.clear())}, "TABLE_EMPTY"),
        ({"arrow": arrow(GOOD.drop("origin"))}, "COLUMN_MISSING"),
        ({"arrow": arrow(GOOD.with_columns(x=pl.lit([1, 2])))}, "COLUMN_TYPE_MISMATCH"),
        ({"arrow": arrow(pl.DataFrame({"a": [1.0] * 9_000_000}), "zstd")}, "BATCH_TOO_LARGE"),
        ({"arrow": arrow(GOOD), "baseline": ""}, "BASELINE_REQUIRED"),
        ({"by": ["colour"]}, "GROUP_UNKNOWN"),
        ({"by": ["origin"] * 9}, "REQUEST_INVALID"),
        ({"response": 17}, "REQUEST_INVALID"),
        ({"min_confidence": "Z"}, "REQUEST_INVALID"),
        ({"parameter_set": "/etc/passwd"}, "PARAMETER_INVALID"),
        ({"parameter_csv": b"hts,sigma\n95,not-a-number\n"}, "PARAMETER_INVALID"),
    ],
)
def test_a_wrong_run_is_told_by_its_reason(served: Running, given: dict[str, Any], reason: str) -> None:
    values = {
        "points": points(("base", "2025-12-01")),
        "arrow": arrow(GOOD),
        "baseline": "2025-01-01",
    } | given
    request = pb.SimulateRequest(**values)
    fault = fails(lambda: list(served.simulation.Simulate(request, timeout=60)))
    assert (fault.reason, fault.code.name) == (reason, REASONS[reason].code)
    assert fault.metadata["fix"]


def test_a_table_too_large_for_the_wire_names_local_mode(served: Running) -> None:
    request = pb.SimulateRequest(points=points(("base", "")), arrow=b"\0" * ((1 << 20) + 1))
    fault = fails(lambda: list(served.simulation.Simulate(request, timeout=TIMEOUT)))
    assert "Client.local()" in fault.metadata["fix"]
    assert fault.metadata["limit"] == str(1 << 20)


def test_three_bad_rows_in_a_thousand_are_data(served: Running) -> None:
    rows = pl.concat([GOOD] * 1000).with_row_index("n")
    bad = pl.col("n").is_in([5, 500, 999])
    table = rows.with_columns(origin=pl.when(bad).then(pl.lit("??")).otherwise("origin")).drop("n")
    request = pb.SimulateRequest(
        points=points(("base", "2025-12-01")), arrow=arrow(table), baseline="2025-01-01"
    )
    messages = list(served.simulation.Simulate(request, timeout=60))
    refused = next(m for m in messages if m.HasField("refused"))
    found = pl.read_ipc_stream(io.BytesIO(refused.refused.arrow))
    assert found["reason"].to_list() == ["ORIGIN_UNKNOWN"] * 3
    assert messages[-1].WhichOneof("content") == "done"


def test_local_mode_raises_the_same_reasons() -> None:
    local = LocalServices()
    with pytest.raises(InputError) as caught:
        local.CalculateDuty(line(origin="Atlantis"))
    assert caught.value.reason == "ORIGIN_UNKNOWN"
    with pytest.raises(ScenarioError) as missing:
        list(local.Simulate(pb.SimulateRequest(points=points(("nothing", "")))))
    assert missing.value.exit_code == 4


def test_the_unforeseen_tells_the_request_id_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    def broken(request: Any, emit: Any, cancelled: Any) -> None:
        raise RuntimeError("secret of the engine")

    with running(simulating(broken), no_warm_up) as server:
        call = server.simulation.Simulate(
            pb.SimulateRequest(), timeout=TIMEOUT, metadata=(("x-request-id", "abc-123"),)
        )
        fault = fails(lambda: list(call))
    assert (fault.code, fault.reason) == (grpc.StatusCode.INTERNAL, "ENGINE_INVARIANT")
    assert fault.metadata == {"request_id": "abc-123"}
    assert "secret" not in fault.message
    assert "secret of the engine" in capfd.readouterr().out


def test_request_ids_come_back_and_odd_ones_are_replaced(served: Running) -> None:
    def returned(given: str) -> str:
        call = served.duty.CalculateDuty.with_call(
            line(), timeout=TIMEOUT, metadata=(("x-request-id", given),)
        )[1]
        return str(dict(call.trailing_metadata())["x-request-id"])

    assert returned("mine.1") == "mine.1"
    assert returned("two words") != "two words"
    assert len(returned("two words")) == 32


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_every_reason_of_the_catalogue_has_a_status(reason: str) -> None:
    status = status_of(ServiceError(reason, "Text."), "id")
    assert Code.Name(status.code) == REASONS[reason].code
    assert grpc_code(status).name == REASONS[reason].code
