"""Responses of each method over a real port."""

from __future__ import annotations

import io
from decimal import Decimal

import polars as pl
import pytest
from google.protobuf.json_format import MessageToDict

from tariffs.service.local import LocalServices
from tariffs.service.wire.arrow import MESSAGE_LIMIT
from tariffs.v1 import common_pb2, duty_service_pb2, law_service_pb2, scenario_service_pb2
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import TIMEOUT, Running, line, points


def arrow(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer, compression="zstd")
    return buffer.getvalue()


def frame(batches: list[bytes]) -> pl.DataFrame:
    return pl.concat([pl.read_ipc_stream(io.BytesIO(data)) for data in batches])


TABLE = pl.DataFrame(
    {
        "hts": ["9503000073", "8471300100", "9503000073", "bad"],
        "origin": ["CN", "VN", "MX", "CN"],
        "customs_value": [10_000.0, 20_000.0, 30_000.0, 1.0],
        "mine": ["a", "b", "c", "d"],
    }
)


def test_every_layer_of_a_line_is_named_cited_and_explained(served: Running) -> None:
    asked = line()
    asked.explain = True
    answer = served.duty.CalculateDuty(asked, timeout=TIMEOUT)
    assert answer.assessed == "10400.00"
    assert sum(Decimal(layer.amount) for layer in answer.layers) == Decimal(answer.assessed)
    states = {layer.measure: layer.state for layer in answer.layers}
    assert states["recip_cn"] == duty_service_pb2.LAYER_STATE_APPLIED
    assert states["s301_l4b"] == duty_service_pb2.LAYER_STATE_SUSPENDED
    assert all(layer.citations and layer.why["text"] for layer in answer.layers)
    assert Decimal(answer.landed["total"]) > 20400


def test_a_scenario_by_name_and_as_text_gives_the_same_duty(served: Running) -> None:
    text = served.scenarios.GetScenario(
        scenario_service_pb2.GetScenarioRequest(id="no-kuala-lumpur-deal"), timeout=TIMEOUT
    ).yaml
    named, written = line(entry="2025-12-01"), line(entry="2025-12-01")
    named.scenario.name = "no-kuala-lumpur-deal"
    written.scenario.yaml = text
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


def test_a_read_mask_trims_the_answer_and_keeps_provenance(served: Running) -> None:
    request = line()
    request.read_mask.paths.extend(["assessed", "layers.measure", "layers.amount"])
    answer = served.duty.CalculateDuty(request, timeout=TIMEOUT)
    assert answer.assessed == "10400.00"
    assert not answer.owed
    assert not answer.layers[0].citations
    assert answer.layers[0].measure
    assert answer.provenance.law_digest


def test_equal_requests_have_equal_run_digests(served: Running) -> None:
    digests = [
        served.duty.CalculateDuty(request, timeout=TIMEOUT).provenance.run_digest
        for request in (line(), line(), line(customs_value="10001"))
    ]
    assert digests[0] == digests[1] != digests[2]


def test_the_law_lists_its_measures_switches_and_claims(served: Running) -> None:
    listed = served.law.ListMeasures(law_service_pb2.ListMeasuresRequest(), timeout=TIMEOUT).measures
    below = served.law.ListMeasures(
        law_service_pb2.ListMeasuresRequest(authority="ieepa"), timeout=TIMEOUT
    ).measures
    law = served.law.GetLaw(law_service_pb2.GetLawRequest(), timeout=TIMEOUT)
    assert [measure.id for measure in listed] == sorted(measure.id for measure in listed)
    assert {measure.id for measure in below} < {measure.id for measure in listed}
    assert all(measure.authority.startswith("ieepa") for measure in below)
    assert "truce_extension" in {switch.id for switch in law.switches}
    assert "usmca_share" in {claim.id for claim in law.claims}


def test_claims_of_the_wire_are_claims_of_the_law(served: Running) -> None:
    law = served.law.GetLaw(law_service_pb2.GetLawRequest(), timeout=TIMEOUT)
    fields = set(duty_service_pb2.Claims.DESCRIPTOR.fields_by_name) - {"others"}
    assert fields <= {claim.id for claim in law.claims}


def test_a_measure_is_found_by_id_and_by_period_label(served: Running) -> None:
    found = served.law.GetMeasure(law_service_pb2.GetMeasureRequest(id="fent_cn"), timeout=TIMEOUT)
    label = found.periods[0].id
    again = served.law.GetMeasure(law_service_pb2.GetMeasureRequest(id=label), timeout=TIMEOUT)
    assert again.id == "fent_cn"
    assert found.periods[0].start_time.startswith("2025-02-04T00:01-05:00")
    assert "invalidate" in {event.op for event in found.events}


def test_the_library_is_listed_and_read(served: Running) -> None:
    listed = served.scenarios.ListScenarios(scenario_service_pb2.ListScenariosRequest(), timeout=TIMEOUT)
    names = {scenario.id for scenario in listed.scenarios}
    assert {"base", "truce-lapses", "no-kuala-lumpur-deal"} <= names
    assert all(scenario.digest and not scenario.yaml for scenario in listed.scenarios)


def test_a_faulty_scenario_is_an_answer_with_line_and_column(served: Running) -> None:
    text = "schema: tariffs.scenario/v1\nid: x\ntitle: t\nbasis: hypothesis\nchanges:\n  - {op: fly}\n"
    request = scenario_service_pb2.CheckScenarioRequest(scenario=common_pb2.ScenarioRef(yaml=text))
    answer = served.scenarios.CheckScenario(request, timeout=10)
    assert not answer.ok
    assert answer.problems[0].line == 6
    assert answer.problems[0].severity == scenario_service_pb2.SEVERITY_ERROR


def test_a_scenario_that_changes_nothing_is_a_warning(served: Running) -> None:
    request = scenario_service_pb2.CheckScenarioRequest(scenario=common_pb2.ScenarioRef(name="truce-lapses"))
    answer = served.scenarios.CheckScenario(request, timeout=30)
    assert answer.ok
    assert "SAME_AS_BASE" in {problem.reason for problem in answer.problems}


def simulation(**given: object) -> pb.SimulateRequest:
    values: dict[str, object] = {
        "points": points(("base", "2025-12-01"), ("no-kuala-lumpur-deal", "2025-12-01")),
        "arrow": arrow(TABLE),
        "baseline": "2025-01-01",
        "by": ["origin"],
    }
    return pb.SimulateRequest(**(values | given))  # type: ignore[arg-type]


def test_a_run_tells_progress_refused_rows_points_and_the_end_in_order(served: Running) -> None:
    messages = list(served.simulation.Simulate(simulation(include_lines=True), timeout=60))
    kinds = [message.WhichOneof("content") for message in messages]
    told = [kind for kind in kinds if kind != "progress"]
    assert kinds[0] == "progress"
    assert told == ["refused", "groups", "total", "lines", "groups", "total", "lines", "done"]
    fractions = [message.progress.fraction for message in messages if message.HasField("progress")]
    assert fractions == sorted(fractions)
    assert all(0 <= fraction <= 1 for fraction in fractions)


def test_groups_sum_to_the_total_and_callers_columns_come_back(served: Running) -> None:
    messages = list(served.simulation.Simulate(simulation(include_lines=True), timeout=60))
    groups = frame([m.groups.arrow for m in messages if m.HasField("groups") and m.groups.scenario == "base"])
    total = frame([m.total.arrow for m in messages if m.HasField("total") and m.total.scenario == "base"])
    lines = frame([m.lines.arrow for m in messages if m.HasField("lines") and m.lines.scenario == "base"])
    refused = frame([m.refused.arrow for m in messages if m.HasField("refused")])
    for column in ("customs_value", "duty", "landed", "value_after"):
        assert groups[column].sum() == pytest.approx(total[column].item(), rel=1e-9)
    assert lines["mine"].to_list() == ["a", "b", "c"]
    assert refused.height == 1
    assert {"row", "column", "reason", "found", "message"} <= set(refused.columns)


def test_provenance_of_a_run_names_scenarios_table_and_choices(served: Running) -> None:
    done = list(served.simulation.Simulate(simulation(), timeout=60))[-1].done
    assert [scenario.id for scenario in done.provenance.scenarios] == ["base", "no-kuala-lumpur-deal"]
    assert len(done.provenance.table_digest) == 64
    assert len(done.provenance.run_digest) == 64
    assert MessageToDict(done.provenance.details)["response"] == "armington"


def test_server_and_local_mode_answer_with_the_same_bits(served: Running) -> None:
    local = LocalServices()
    assert local.CalculateDuty(line()) == served.duty.CalculateDuty(line(), timeout=TIMEOUT)
    request = simulation(include_lines=True)
    near = [message for message in local.Simulate(request) if not message.HasField("progress")]
    far = [m for m in served.simulation.Simulate(request, timeout=60) if not m.HasField("progress")]
    assert near == far


def test_local_mode_takes_a_table_by_reference() -> None:
    local = LocalServices()
    request = simulation()
    by_value = [m for m in local.Simulate(request) if m.HasField("groups")]
    request.ClearField("table")
    by_reference = [m for m in local.Simulate(request, table=TABLE) if m.HasField("groups")]
    assert by_value == by_reference


@pytest.mark.slow
def test_every_line_of_the_embedded_table_comes_in_messages_of_at_most_a_mebibyte(served: Running) -> None:
    request = simulation(points=points(("base", "")), include_lines=True)
    request.embedded.SetInParent()
    sizes, rows = [], 0
    for message in served.simulation.Simulate(request, timeout=200):
        sizes.append(message.ByteSize())
        if message.HasField("lines"):
            rows += frame([message.lines.arrow]).height
    assert max(sizes) <= MESSAGE_LIMIT + 1024
    assert rows == 334_728
