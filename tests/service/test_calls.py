"""Responses over a real port: one line, many lines in a call, the law, scenarios and runs; those of a process alike."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import grpc
import polars as pl
import pytest
from google.protobuf.json_format import MessageToDict
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo

from tariffs.service.local import LocalServices
from tariffs.service.rpc.duty import BATCH_LIMIT
from tariffs.service.wire.arrow import MESSAGE_LIMIT
from tariffs.v1 import common_pb2, duty_service_pb2, law_service_pb2, scenario_service_pb2
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import TIMEOUT, Running, fails, line, points
from tests.service.stored import arrow, bad_rows, rows, simulation

# What a client accepts unless it asks for more.
DEFAULT_RECEIVE_LIMIT = 4 << 20
TABLE = bad_rows(rows(4))


def frame(batches: list[bytes]) -> pl.DataFrame:
    return pl.concat([pl.read_ipc_stream(io.BytesIO(data)) for data in batches])


def test_every_layer_of_a_line_is_named_cited_and_explained_unless_a_mask_trims_it(served: Running) -> None:
    plain, asked, masked, other = line(), line(), line(), line(customs_value="10001")
    asked.explain = True
    masked.read_mask.paths.extend(["assessed", "layers.measure", "layers.amount"])
    same, answer, trimmed, another = (
        served.duty.CalculateDuty(one, timeout=TIMEOUT) for one in (plain, asked, masked, other)
    )
    digest = same.provenance.run_digest
    assert served.duty.CalculateDuty(plain, timeout=TIMEOUT).provenance.run_digest == digest
    assert another.provenance.run_digest != digest
    assert (trimmed.assessed, trimmed.owed, trimmed.layers[0].citations) == ("10400.00", "", [])
    assert trimmed.layers[0].measure
    assert trimmed.provenance.law_digest
    assert answer.assessed == "10400.00"
    assert sum(Decimal(layer.amount) for layer in answer.layers) == Decimal(answer.assessed)
    states = {layer.measure: layer.state for layer in answer.layers}
    assert states["recip_cn"] == duty_service_pb2.LAYER_STATE_APPLIED
    assert states["s301_l4b"] == duty_service_pb2.LAYER_STATE_SUSPENDED
    assert all(layer.citations and layer.why["text"] for layer in answer.layers)
    assert Decimal(answer.landed["total"]) > 20400


def test_a_scenario_by_name_and_as_text_gives_the_same_duty(served: Running) -> None:
    asked = scenario_service_pb2.GetScenarioRequest(id="no-kuala-lumpur-deal")
    named, written = line(entry="2025-12-01"), line(entry="2025-12-01")
    named.scenario.name = asked.id
    written.scenario.yaml = served.scenarios.GetScenario(asked, timeout=TIMEOUT).yaml
    first, second = (served.duty.CalculateDuty(request, timeout=10) for request in (named, written))
    assert first.assessed == second.assessed == "5400.00"
    assert first.provenance.scenarios == second.provenance.scenarios


def test_an_unset_claim_is_not_a_false_one(served: Running) -> None:
    asked = line(hts="9403.60.8081", origin="MX", entry="2025-05-20")
    answer = served.duty.CalculateDuty(asked, timeout=TIMEOUT)
    asked.line.claims.usmca_share = 0
    declared = served.duty.CalculateDuty(asked, timeout=TIMEOUT)
    assert "usmca_share" in answer.missing_claims
    assert "usmca_share" not in declared.missing_claims


def toy(**given: Any) -> duty_service_pb2.EntryLine:
    """One line of toys, changed as given."""
    return line(**given).line


def batch(*lines: duty_service_pb2.EntryLine, **options: Any) -> duty_service_pb2.BatchCalculateDutiesRequest:
    return duty_service_pb2.BatchCalculateDutiesRequest(lines=lines, **options)


def test_a_line_in_a_batch_is_rated_as_it_is_alone(served: Running) -> None:
    asked = line(entry="2025-05-20", freight="90", mode=common_pb2.TRANSPORT_MODE_OCEAN)
    asked.explain = True
    alone = served.duty.CalculateDuty(asked, timeout=TIMEOUT)
    answer = served.duty.BatchCalculateDuties(batch(asked.line), timeout=10)
    (one,) = answer.quotes
    for name in ("layers", "headings", "landed"):
        assert getattr(one.quote, name) == getattr(alone, name)
    assert one.quote.provenance.details == alone.provenance.details
    assert answer.provenance.law_digest == alone.provenance.law_digest
    assert answer.provenance.switches == alone.provenance.switches
    assert answer.provenance.run_digest


def test_bad_lines_are_failures_at_their_index(served: Running) -> None:
    bad = {
        1: (toy(origin="XX"), "ORIGIN_UNKNOWN", "origin"),
        2: (toy(hts=""), "REQUEST_INVALID", "hts"),
        3: (toy(mode=9), "REQUEST_INVALID", "mode"),
        4: (toy(customs_value="many"), "CUSTOMS_VALUE_INVALID", "customs_value"),
        5: (toy(claims={"usmca_share": 2}), "CLAIM_INVALID", "claims.usmca_share"),
        6: (toy(other_charges=[{"amount": "1"}]), "CHARGE_INVALID", "other_charges"),
    }
    first, last = toy(entry_id="E", line_id="1"), toy(entry_id="E", line_id="8")
    lines = [first, *(one for one, _, _ in bad.values()), last]
    answer = served.duty.BatchCalculateDuties(batch(*lines), timeout=10)
    assert [(one.index, one.entry_id, one.line_id) for one in answer.quotes] == [(0, "E", "1"), (7, "E", "8")]
    assert sorted(answer.failures) == list(bad)
    for index, (_, reason, field) in bad.items():
        status, info, request = answer.failures[index], ErrorInfo(), BadRequest()
        assert status.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
        assert any(detail.Unpack(info) for detail in status.details)
        assert any(detail.Unpack(request) for detail in status.details)
        assert (info.reason, request.field_violations[0].field) == (reason, field)
        assert "request_id" not in info.metadata


def test_quotes_come_in_the_order_of_the_lines_though_entries_alternate(served: Running) -> None:
    lines = [
        toy(entry_id=entry, line_id=f"line {place}", customs_value=str(1000 + place))
        for place, entry in enumerate(("A", "B", "", "B", "A"))
    ]
    answer = served.duty.BatchCalculateDuties(batch(*lines, known_on="entry"), timeout=10)
    assert [
        (one.index, one.line_id, one.entry_id, one.quote.landed["customs_value"]) for one in answer.quotes
    ] == [(place, one.line_id, one.entry_id, f"{one.customs_value}.00") for place, one in enumerate(lines)]
    assert [list(one.indices) for one in answer.entries] == [[0, 4], [1, 3], [2]]
    assert answer.provenance.known_on == "entry"
    assert {one.quote.provenance.known_on for one in answer.quotes} == {"2025-04-09"}


def test_a_batch_as_a_whole_is_refused_only_for_what_is_of_the_whole(served: Running) -> None:
    for request, reason in [
        (batch(), "REQUEST_INVALID"),
        (batch(*[toy()] * (BATCH_LIMIT + 1)), "BATCH_TOO_LARGE"),
        (batch(toy(), known_on="soon"), "ENTRY_DATE_INVALID"),
        (batch(toy(), switches={"none": "such"}), "SWITCH_UNKNOWN"),
        (batch(toy(), scenario={"name": "none-such"}), "SCENARIO_NOT_FOUND"),
        (batch(toy(), read_mask={"paths": ["layers.colour"]}), "REQUEST_INVALID"),
    ]:
        fault = fails(lambda request=request: served.duty.BatchCalculateDuties(request, timeout=10))  # type: ignore[misc]
        assert fault.reason == reason


def test_the_largest_batch_fits_a_message_of_the_default_size_and_holds_up_nobody(served: Running) -> None:
    metal = {"hts": "8708.29.5160", "origin": "CN", "entry": "2025-08-20"}
    lines = [toy(line_id=str(place), entry_id="E", **metal) for place in range(BATCH_LIMIT)]
    answer = served.duty.BatchCalculateDuties(batch(*lines), timeout=60)
    assert len(answer.quotes) == BATCH_LIMIT
    assert answer.ByteSize() < DEFAULT_RECEIVE_LIMIT
    trimmed = batch(*lines, read_mask={"paths": ["assessed", "layers.measure", "layers.amount"]})
    call = served.duty.BatchCalculateDuties.future(trimmed, timeout=60)
    assert served.duty.CalculateDuty(line(), timeout=TIMEOUT).assessed == "10400.00"
    assert call.result().ByteSize() < answer.ByteSize() / 3


def test_a_measure_is_found_by_id_and_by_period_label(served: Running) -> None:
    found = served.law.GetMeasure(law_service_pb2.GetMeasureRequest(id="fent_cn"), timeout=TIMEOUT)
    label = law_service_pb2.GetMeasureRequest(id=found.periods[0].id)
    assert served.law.GetMeasure(label, timeout=TIMEOUT).id == "fent_cn"
    assert found.periods[0].start_time.startswith("2025-02-04T00:01-05:00")
    assert "invalidate" in {event.op for event in found.events}


def test_a_faulty_scenario_is_an_answer_with_line_and_column(served: Running) -> None:
    text = "schema: tariffs.scenario/v1\nid: x\ntitle: t\nbasis: hypothesis\nchanges:\n  - {op: fly}\n"
    request = scenario_service_pb2.CheckScenarioRequest(scenario=common_pb2.ScenarioRef(yaml=text))
    answer = served.scenarios.CheckScenario(request, timeout=10)
    assert (answer.ok, answer.problems[0].line) == (False, 6)
    assert answer.problems[0].severity == scenario_service_pb2.SEVERITY_ERROR


def responding(**given: Any) -> pb.SimulateRequest:
    """Ask for two scenarios with the model that is used without a word."""
    asked = [("base", "2025-12-01"), ("no-kuala-lumpur-deal", "2025-12-01")]
    values = {"asked": asked, "baseline": "2025-01-01", "by": ["origin"], "response": 0}
    return simulation(TABLE, **(values | given))


def test_a_run_tells_progress_refused_rows_points_and_the_end_in_order(served: Running) -> None:
    messages = list(served.simulation.Simulate(responding(), timeout=60))
    assert messages[0].HasField("progress")
    fractions = [message.progress.fraction for message in messages if message.HasField("progress")]
    assert fractions == sorted(fractions)
    assert all(0 <= fraction <= 1 for fraction in fractions)
    told = [message for message in messages if not message.HasField("progress")]
    kinds = [message.WhichOneof("content") for message in told]
    assert kinds == ["refused", "groups", "total", "lines", "groups", "total", "lines", "done"]
    contents = [getattr(message, kind) for message, kind in zip(told, kinds, strict=True)]
    assert [one.scenario for one in contents[1:-1]] == ["base"] * 3 + ["no-kuala-lumpur-deal"] * 3
    refused, groups, total, lines = (frame([one.arrow]) for one in contents[:4])
    for column in ("customs_value", "duty", "landed", "value_after"):
        assert groups[column].sum() == pytest.approx(total[column].item(), rel=1e-9)
    assert lines["mine"].to_list() == ["row 0", "row 2", "row 3"]
    assert refused.height == 1
    assert {"row", "column", "reason", "found", "message"} <= set(refused.columns)
    provenance = messages[-1].done.provenance
    assert [scenario.id for scenario in provenance.scenarios] == ["base", "no-kuala-lumpur-deal"]
    assert len(provenance.table_digest) == len(provenance.run_digest) == 64
    assert MessageToDict(provenance.details)["response"] == "armington"


def test_rows_in_a_stream_may_be_exports(served: Running) -> None:
    table = pl.DataFrame(
        {"hts": ["1201.90", "1201.90"], "origin": ["US", "BR"], "customs_value": [1000.0, 3000.0]}
    )
    config = pb.LinesConfig(points=points(("base", "2026-11-24")), direction=common_pb2.DIRECTION_EXPORT)
    asked = [pb.SimulateLinesRequest(config=config), pb.SimulateLinesRequest(arrow=arrow(table))]
    messages = list(served.simulation.SimulateLines(iter(asked), timeout=60))
    lines = frame([m.lines.arrow for m in messages if m.WhichOneof("content") == "lines"])
    assert lines["duty"].to_list() == pytest.approx([130.0, 90.0])
    assert lines["vat"].to_list() == pytest.approx([0.09 * 1130, 0.09 * 3090])


def test_server_and_local_mode_answer_with_the_same_bits(served: Running) -> None:
    local, request = LocalServices(), responding()
    assert local.CalculateDuty(line()) == served.duty.CalculateDuty(line(), timeout=TIMEOUT)
    lines = batch(toy(), toy(origin="XX"), toy(entry="2026-11-24"))
    assert local.BatchCalculateDuties(lines, timeout=10) == served.duty.BatchCalculateDuties(
        lines, timeout=10
    )
    near = [message for message in local.Simulate(request) if not message.HasField("progress")]
    far = [m for m in served.simulation.Simulate(request, timeout=60) if not m.HasField("progress")]
    assert near == far
    request.ClearField("table")
    by_reference = [m for m in local.Simulate(request, table=TABLE) if not m.HasField("progress")]
    assert by_reference == near


@pytest.mark.slow
def test_every_line_of_the_embedded_table_comes_in_messages_of_at_most_a_mebibyte(served: Running) -> None:
    request = responding(asked=[("base", "")])
    request.embedded.SetInParent()
    sizes, height = [], 0
    for message in served.simulation.Simulate(request, timeout=200):
        sizes.append(message.ByteSize())
        if message.HasField("lines"):
            height += frame([message.lines.arrow]).height
    assert max(sizes) <= MESSAGE_LIMIT + 1024
    assert height == 334_728
