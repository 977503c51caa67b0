"""The wire contract: generated code is that of the .proto files, words are the engine's, errors have reasons."""

from __future__ import annotations

import re
import runpy
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import polars as pl
import pytest
from google.protobuf import message_factory
from google.rpc.code_pb2 import Code

from tariffs.engine.errors import REASONS, InputError, ServiceError
from tariffs.engine.law import load_law
from tariffs.engine.law.conditions import MODE
from tariffs.engine.response.consumer_prices import METHODS
from tariffs.engine.response.elasticities.parameters import HORIZONS
from tariffs.engine.scenario import library
from tariffs.run_spec.spec import OPTIONS
from tariffs.service.rpc.checks import choice
from tariffs.service.rpc.duty import calculate_duty, read_line
from tariffs.service.rpc.messages import message_of
from tariffs.service.settings.settings import Settings
from tariffs.service.wire.status import grpc_code, status_of
from tariffs.v1 import common_pb2, duty_service_pb2, law_service_pb2, scenario_service_pb2
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import TIMEOUT, Running, fails, line, points
from tests.service.stored import arrow, rows

MODULES = (common_pb2, duty_service_pb2, law_service_pb2, scenario_service_pb2, pb)
ENUMS = [(module, name) for module in MODULES for name in sorted(module.DESCRIPTOR.enum_types_by_name)]


def test_generated_code_is_that_of_the_sources(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools")
    sources = runpy.run_path(str(root / "proto" / "gen.py"))["generate"](tmp_path)
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.py*"))
    assert len(made) == 3 * len(sources)
    for path in made:
        assert (tmp_path / path).read_bytes() == (root / "proto" / path).read_bytes(), (
            f"run `make gen`: {path}"
        )


@pytest.mark.parametrize(("module", "name"), ENUMS, ids=[name for _, name in ENUMS])
def test_enums_begin_at_unspecified_and_words_go_both_ways(module: Any, name: str) -> None:
    enum = getattr(module, name).DESCRIPTOR
    messages = [one for each in MODULES for one in each.DESCRIPTOR.message_types_by_name.values()]
    field = next(field for one in messages for field in one.fields if field.enum_type is enum)
    for number, value in enum.values_by_number.items():
        word = choice(enum, number, "field")
        assert (word == "") == (number == 0)
        assert value.name.endswith("_UNSPECIFIED") == (number == 0)
        if word:
            given = [word] if field.is_repeated else word
            kind = message_factory.GetMessageClass(field.containing_type)
            made = getattr(message_of(kind, SimpleNamespace(**{field.name: given})), field.name)
            assert made == ([number] if field.is_repeated else number)


def words_of(enum: Any) -> set[str]:
    return {choice(enum.DESCRIPTOR, number, "field") for number in enum.DESCRIPTOR.values_by_number} - {""}


def test_the_words_of_the_engine_are_those_of_the_wire() -> None:
    law = load_law()
    assert words_of(pb.ResponseModel) == set(OPTIONS["response"].choices)
    assert words_of(pb.Horizon) == set(HORIZONS)
    assert words_of(pb.Market) == set(OPTIONS["market"].choices)
    assert words_of(pb.ConsumerPriceMethod) == set(METHODS)
    assert {m.direction for m in law.measures.values()} <= words_of(common_pb2.Direction)
    assert {m.conf.lower() for m in law.measures.values()} <= words_of(law_service_pb2.Confidence)
    fields = set(duty_service_pb2.Claims.DESCRIPTOR.fields_by_name) - {"others"}
    assert "usmca_share" in fields <= law.claims.keys()
    assert {s.basis for s in library().values()} <= words_of(scenario_service_pb2.ScenarioBasis)


def test_every_claim_of_the_law_can_be_declared_even_without_a_field() -> None:
    sample = {"bool": "yes", "date": "2025-04-04", "code": "CA", "number": "2"}
    # A mode is a field of the line.
    claims = [claim for claim in load_law().claims.values() if claim.codes != MODE]
    for claim in claims:
        request = line()
        request.line.claims.others[claim.id] = sample.get(claim.type, "0.5")
        assert read_line(request.line).claims == {claim.id: sample.get(claim.type, "0.5")}
        assert Decimal(calculate_duty(request).assessed) >= 0
        if claim.type == "code":
            continue  # any text is read as a code
        request.line.claims.others[claim.id] = "(nothing)"
        # The law judges the value: a claim that was set aside would be answered.
        with pytest.raises(InputError) as caught:
            calculate_duty(request)
        assert (caught.value.reason, caught.value.field) == ("CLAIM_INVALID", f"claims.{claim.id}")


def test_the_page_on_the_service_lists_every_error_and_setting(root: Path) -> None:
    page = (root / "docs" / "service.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| ([A-Z_]+) \| `([A-Z_]+)` \| (.+) \| (\d) \|$", page, re.MULTILINE))
    assert listed == {(r.code, name, r.text, str(r.exit_code)) for name, r in REASONS.items()}
    assert set(re.findall(r"^\| `TARIFFS_([A-Z_]+)`", page, re.MULTILINE)) == {
        name.upper() for name in Settings.model_fields
    }


INVALID = grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("given", "reason", "field"),
    [
        ({"hts": "9503.00.9999"}, "HTS_CODE_UNKNOWN", "hts"),
        ({"hts": ""}, "REQUEST_INVALID", "hts"),
        ({"hts": "9" * 500}, "REQUEST_INVALID", "hts"),
        ({"customs_value": "NaN"}, "CUSTOMS_VALUE_INVALID", "customs_value"),
        ({"quantity": "-1", "unit": "kg"}, "QUANTITY_INVALID", "quantity"),
        ({"freight": "x"}, "CHARGE_INVALID", "freight"),
        ({"entry": "2031-01-01"}, "ENTRY_DATE_OUT_OF_COVERAGE", "entry_date"),
        ({"entry": "soon"}, "ENTRY_DATE_INVALID", "entry_date"),
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
    assert_refused(served, line(**given), reason, field)


def assert_refused(served: Running, request: Any, reason: str, field: str) -> None:
    fault = fails(lambda: served.duty.CalculateDuty(request, timeout=TIMEOUT))
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
    assert_refused(served, request, reason, field)


def test_what_is_unknown_comes_with_the_nearest_names_and_no_name_reaches_the_disk(served: Running) -> None:
    scenario, measure = scenario_service_pb2.GetScenarioRequest, law_service_pb2.GetMeasureRequest
    for call, request, reason, nearest in [
        (served.scenarios.GetScenario, scenario(id="truce-lapse"), "SCENARIO_NOT_FOUND", "truce-lapses"),
        (served.law.GetMeasure, measure(id="fent_cm"), "MEASURE_NOT_FOUND", "fent_cn"),
        (served.law.GetMeasure, measure(id="ieepa"), "MEASURE_NOT_FOUND", "ieepa_in"),
        (served.scenarios.GetScenario, scenario(id="/etc/passwd"), "SCENARIO_NOT_FOUND", ""),
        (served.scenarios.GetScenario, scenario(id="../base"), "SCENARIO_NOT_FOUND", "base"),
        (served.scenarios.GetScenario, scenario(id="base.yaml"), "SCENARIO_NOT_FOUND", "base"),
    ]:
        fault = fails(partial(call, request, timeout=TIMEOUT))
        assert (fault.code, fault.reason) == (grpc.StatusCode.NOT_FOUND, reason)
        near = fault.metadata["nearest"].split(", ")
        assert nearest in near
        assert "ieepa" not in near


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


GOOD = rows(1)


@pytest.mark.parametrize(
    ("given", "reason", "field"),
    [
        ({"points": []}, "REQUEST_INVALID", "points"),
        ({"points": points(*[("base", "")] * 1001)}, "REQUEST_INVALID", "points"),
        ({"points": points(("base", "2031-01-01"))}, "ENTRY_DATE_OUT_OF_COVERAGE", "entry_date"),
        ({"direction": common_pb2.DIRECTION_CONTROL}, "REQUEST_INVALID", "direction"),
        ({"arrow": b"not arrow at all"}, "ARROW_MALFORMED", "arrow"),
        ({"arrow": b"\0" * ((1 << 20) + 1)}, "BATCH_TOO_LARGE", "arrow"),
        ({"arrow": arrow(pl.DataFrame({"a": [1.0] * 9_000_000}), "zstd")}, "BATCH_TOO_LARGE", "arrow"),
        ({"arrow": arrow(GOOD), "baseline": ""}, "BASELINE_REQUIRED", "baseline"),
        ({"by": ["origin"] * 9}, "REQUEST_INVALID", "by"),
        ({"response": 17}, "REQUEST_INVALID", "response"),
        ({"min_confidence": "Z"}, "REQUEST_INVALID", "min_confidence"),
        ({"parameter_set": "/etc/passwd"}, "PARAMETER_INVALID", "parameter_set"),
        ({"parameter_csv": b"hts,sigma\n95,not-a-number\n"}, "PARAMETER_INVALID", "sigma"),
    ],
)
def test_a_wrong_run_is_told_by_reason_and_field(
    served: Running, given: dict[str, Any], reason: str, field: str
) -> None:
    base = {"points": points(("base", "2025-12-01")), "arrow": arrow(GOOD), "baseline": "2025-01-01"}
    request = pb.SimulateRequest(**(base | given))
    fault = fails(lambda: list(served.simulation.Simulate(request, timeout=60)))
    assert (fault.reason, fault.code.name, fault.fields) == (reason, REASONS[reason].code, [field])
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
