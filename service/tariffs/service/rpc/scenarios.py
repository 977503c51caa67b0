"""ScenarioService: read the scenario library, check and compare scenarios."""

from __future__ import annotations

from tariffs.engine.errors import ScenarioError
from tariffs.engine.scenario import (
    ERROR,
    Difference,
    Scenario,
    apply_scenario,
    check_scenario,
    difference,
    library,
    parse_scenario,
)
from tariffs.service.rpc.checks import required, word, words
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.messages import message_of
from tariffs.service.rpc.shared import BASE, document, filled, law_provenance, named_scenario, scenario_of
from tariffs.service.storage.scenario_names import StoredVersion
from tariffs.v1 import common_pb2, scenario_service_pb2


def list_scenarios(
    request: scenario_service_pb2.ListScenariosRequest,
) -> scenario_service_pb2.ListScenariosResponse:
    """List all scenarios of the library, by name."""
    scenarios = library()
    return scenario_service_pb2.ListScenariosResponse(
        scenarios=[_scenario(scenarios[name]) for name in sorted(scenarios)],
        provenance=law_provenance(LAWS.named(request.law_version), request),
    )


def get_scenario(request: scenario_service_pb2.GetScenarioRequest) -> scenario_service_pb2.Scenario:
    """Return one scenario of the library with its text, its parameters filled in.

    Raises:
        ScenarioError: SCENARIO_NOT_FOUND or PARAMETER_UNKNOWN, with the nearest names; PARAMETER_INVALID.
    """
    named = named_scenario(required(request.id, "id", "Use the name of a scenario."), "id")
    return _with_text(request, named)


def get_stored_scenario(
    request: scenario_service_pb2.GetScenarioRequest, stored: StoredVersion
) -> scenario_service_pb2.Scenario:
    """Return a stored scenario as `get_scenario` returns one of the library; raises as that."""
    message = _with_text(request, parse_scenario(stored.text, stored.full_name))
    (digest,) = message.provenance.scenarios
    digest.stored_name, digest.stored_version = stored.full_name, stored.version
    return message


def _with_text(
    request: scenario_service_pb2.GetScenarioRequest, named: Scenario
) -> scenario_service_pb2.Scenario:
    (scenario,) = filled([named], request.parameters, "parameters")
    message = _scenario(scenario)
    message.yaml = scenario.text
    message.provenance.CopyFrom(law_provenance(LAWS.named(request.law_version), request, [scenario]))
    return message


def refuse_errors(check: scenario_service_pb2.ScenarioCheck) -> None:
    """Raise the first error of a check as ScenarioError; warnings pass."""
    errors = [one for one in check.problems if one.severity == scenario_service_pb2.SEVERITY_ERROR]
    if check.ok or not errors:
        return
    first, more = errors[0], f" ({len(errors) - 1} more.)" if len(errors) > 1 else ""
    raise ScenarioError(
        first.reason,
        first.message + more,
        path=first.path,
        line=first.line or None,
        column=first.column or None,
        fix=first.fix,
    )


def check_scenario_text(
    request: scenario_service_pb2.CheckScenarioRequest,
) -> scenario_service_pb2.CheckScenarioResponse:
    """List the problems of a scenario in the library or in a text.

    Raises:
        ScenarioError: SCENARIO_NOT_FOUND for a name; problems of a text are in the response.
    """
    law = LAWS.named(request.law_version)
    parameters = words(request.parameters, "parameters")
    text = _text(request.scenario)
    found = check_scenario(text, law, parameters=parameters)
    ok = not any(problem.severity == ERROR for problem in found)
    return scenario_service_pb2.CheckScenarioResponse(
        ok=ok,
        problems=[message_of(scenario_service_pb2.Problem, problem) for problem in found],
        provenance=law_provenance(law, request),
        parameters=_parameters(parse_scenario(text).with_parameters(parameters)) if ok else (),
    )


def diff_scenarios(
    request: scenario_service_pb2.DiffScenariosRequest,
) -> scenario_service_pb2.DiffScenariosResponse:
    """List the differences between the laws of two scenarios.

    Raises:
        ScenarioError: a scenario cannot be found, read or applied.
    """
    law = LAWS.named(request.law_version)
    pair = scenario_of(request.first, "first"), scenario_of(request.second, "second")
    first, second = (apply_scenario(law, scenario) for scenario in pair)
    return scenario_service_pb2.DiffScenariosResponse(
        differences=[_difference(item) for item in difference(first, second)],
        provenance=law_provenance(law, request, pair),
    )


def _difference(item: Difference) -> scenario_service_pb2.Difference:
    return message_of(
        scenario_service_pb2.Difference,
        item,
        start_time=item.start.isoformat(timespec="minutes") if item.start else "",
        end_time=item.end.isoformat(timespec="minutes") if item.end else "",
        text=item.words,
    )


def _text(ref: common_pb2.ScenarioRef) -> str:
    if ref.WhichOneof("scenario") == "yaml":
        return document(ref.yaml, "scenario")
    return named_scenario(word(ref.name, "scenario") or BASE, "scenario").text


def _scenario(scenario: Scenario) -> scenario_service_pb2.Scenario:
    return message_of(scenario_service_pb2.Scenario, scenario, parameters=_parameters(scenario))


def _parameters(scenario: Scenario) -> list[scenario_service_pb2.Parameter]:
    return [
        message_of(
            scenario_service_pb2.Parameter,
            one,
            name=name,
            default_value=one.default,
            value=scenario.values[name],
        )
        for name, one in scenario.parameters.items()
    ]
