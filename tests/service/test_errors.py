"""Errors arrive as a status with a reason of the catalogue, the invalid field and a fix."""

from __future__ import annotations

from typing import Any

import grpc
import polars as pl
import pytest
from google.rpc.code_pb2 import Code

from tariffs.engine.errors import REASONS, ServiceError
from tariffs.service.wire.status import grpc_code, status_of
from tariffs.v1 import common_pb2, law_service_pb2, scenario_service_pb2
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import TIMEOUT, Running, fails, line, points
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
        ({"customs_value": "NaN"}, "CUSTOMS_VALUE_INVALID", "customs_value"),
        ({"quantity": "many"}, "QUANTITY_INVALID", "quantity"),
        ({"freight": "x"}, "CHARGE_INVALID", "freight"),
        ({"mode": 99}, "REQUEST_INVALID", "mode"),
        ({"claims": {"usmca_share": 2}}, "CLAIM_INVALID", "claims.usmca_share"),
        ({"claims": {"others": {"magic": "1"}}}, "CLAIM_UNKNOWN", "claims.magic"),
        ({"claims": {"processing_value": "x"}}, "CLAIM_INVALID", "claims.processing_value"),
        ({"ordinary_rate": "3"}, "PARAMETER_INVALID", "ordinary_rate"),
    ],
)
def test_a_wrong_line_is_told_by_reason_and_field(
    served: Running, given: dict[str, Any], reason: str, field: str
) -> None:
    fault = fails(lambda: served.duty.CalculateDuty(line(**given), timeout=TIMEOUT))
    assert (fault.code, fault.reason, fault.fields) == (INVALID, reason, [field])
    assert fault.message
    assert fault.metadata["fix"]


EXPORT = common_pb2.DIRECTION_EXPORT


@pytest.mark.parametrize(
    ("given", "direction", "to", "reason", "field"),
    [
        ({"hts": "8524.11"}, EXPORT, "", "RATE_NOT_COMPUTABLE", "ordinary_rate"),
        ({"ordinary_rate": "3"}, EXPORT, "", "PARAMETER_INVALID", "ordinary_rate"),
        ({"other_charges": [{"kind": 3, "amount": "5"}]}, EXPORT, "", "REQUEST_INVALID", "other_charges"),
        ({}, EXPORT, "ZZ", "REQUEST_INVALID", "to"),
        ({}, common_pb2.DIRECTION_IMPORT, "CN", "REQUEST_INVALID", "to"),
        ({}, common_pb2.DIRECTION_PORT_CALL, "", "REQUEST_INVALID", "direction"),
        ({}, common_pb2.DIRECTION_CONTROL, "", "REQUEST_INVALID", "direction"),
        ({}, 99, "", "REQUEST_INVALID", "direction"),
    ],
)
def test_a_wrong_line_of_exports_is_told_by_reason_and_field(
    served: Running, given: dict[str, Any], direction: common_pb2.Direction, to: str, reason: str, field: str
) -> None:
    request = line(**{"hts": "1201.90", "origin": "US", "entry": "2027-01-11", **given})
    request.direction, request.to = direction, to
    fault = fails(lambda: served.duty.CalculateDuty(request, timeout=TIMEOUT))
    assert (fault.reason, fault.fields) == (reason, [field])


def test_what_is_unknown_comes_with_the_nearest_names(served: Running) -> None:
    request = line()
    request.scenario.name = "truce-lapse"
    fault = fails(lambda: served.duty.CalculateDuty(request, timeout=TIMEOUT))
    assert (fault.code, fault.reason) == (NOT_FOUND, "SCENARIO_NOT_FOUND")
    assert "truce-lapses" in fault.metadata["nearest"]
    measure = law_service_pb2.GetMeasureRequest(id="fent_cm")
    fault = fails(lambda: served.law.GetMeasure(measure, timeout=TIMEOUT))
    assert (fault.code, fault.reason) == (NOT_FOUND, "MEASURE_NOT_FOUND")
    assert "fent_cn" in fault.metadata["nearest"]


@pytest.mark.parametrize("name", ["/etc/passwd", "../base", "base.yaml"])
def test_a_scenario_name_never_reaches_the_disk(served: Running, name: str) -> None:
    request = scenario_service_pb2.GetScenarioRequest(id=name)
    fault = fails(lambda: served.scenarios.GetScenario(request, timeout=TIMEOUT))
    assert fault.reason == "SCENARIO_NOT_FOUND"


def test_broken_yaml_an_unknown_switch_and_a_wrong_mask_are_told(served: Running) -> None:
    broken, switched, masked = line(), line(), line()
    broken.scenario.yaml = "schema: tariffs.scenario/v1\nid: [x\n"
    switched.switches["no_such_switch"] = "on"
    masked.read_mask.paths.append("layers.colour")
    fault = fails(lambda: served.duty.CalculateDuty(broken, timeout=TIMEOUT))
    assert (fault.code, fault.reason) == (INVALID, "SCENARIO_SYNTAX")
    assert int(fault.metadata["line"]) >= 2
    assert fails(lambda: served.duty.CalculateDuty(switched, timeout=TIMEOUT)).reason == "SWITCH_UNKNOWN"
    assert fails(lambda: served.duty.CalculateDuty(masked, timeout=TIMEOUT)).fields == ["read_mask"]


GOOD = pl.DataFrame({"hts": ["9503000073"], "origin": ["CN"], "customs_value": [10_000.0]})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"points": []}, "REQUEST_INVALID"),
        ({"points": points(*[("base", "")] * 1001)}, "REQUEST_INVALID"),
        ({"points": points(("nothing", ""))}, "SCENARIO_NOT_FOUND"),
        ({"points": points(("base", "2031-01-01"))}, "ENTRY_DATE_OUT_OF_COVERAGE"),
        ({"direction": common_pb2.DIRECTION_CONTROL}, "REQUEST_INVALID"),
        ({"arrow": b"not arrow at all"}, "ARROW_MALFORMED"),
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
    base = {"points": points(("base", "2025-12-01")), "arrow": arrow(GOOD), "baseline": "2025-01-01"}
    request = pb.SimulateRequest(**(base | given))
    fault = fails(lambda: list(served.simulation.Simulate(request, timeout=60)))
    assert (fault.reason, fault.code.name) == (reason, REASONS[reason].code)
    assert fault.metadata["fix"]
    if given.get("arrow", b"")[:4] == b"\0" * 4:
        assert "Client.local()" in fault.metadata["fix"]
        assert fault.metadata["limit"] == str(1 << 20)


def test_request_ids_come_back_and_odd_ones_are_replaced(served: Running) -> None:
    def returned(given: str) -> str:
        sent = (("x-request-id", given),)
        call = served.duty.CalculateDuty.with_call(line(), timeout=TIMEOUT, metadata=sent)[1]
        return str(dict(call.trailing_metadata())["x-request-id"])

    assert returned("mine.1") == "mine.1"
    assert returned("two words") != "two words"
    assert len(returned("two words")) == 32


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_every_reason_of_the_catalogue_has_a_status(reason: str) -> None:
    status = status_of(ServiceError(reason, "Text."), "id")
    assert Code.Name(status.code) == REASONS[reason].code
    assert grpc_code(status).name == REASONS[reason].code
