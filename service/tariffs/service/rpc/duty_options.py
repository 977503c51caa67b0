"""DutyService.CompareOptions: lawful ways to pay less duty on a line under scenarios."""

from __future__ import annotations

from tariffs.engine.line_duty.entry_dates import known_on_text
from tariffs.engine.scenario.model import Scenario
from tariffs.firm.levers import load_levers
from tariffs.firm.options import Facts, Option, Options, list_options
from tariffs.service.rpc.checks import words
from tariffs.service.rpc.duty import read_line
from tariffs.service.rpc.importer_requests import base_law, laws_of, scenarios_of
from tariffs.service.rpc.messages import message_of
from tariffs.service.rpc.shared import law_provenance, scenario_of
from tariffs.service.wire.status import Cancelled, check_cancelled
from tariffs.v1 import common_pb2
from tariffs.v1 import duty_service_pb2 as pb

_SCENARIOS_LIMIT = 20


def compare_options(request: pb.CompareOptionsRequest, cancelled: Cancelled) -> pb.CompareOptionsResponse:
    """List the options of a line under each scenario.

    Raises:
        TariffsError: an invalid line, fact, scenario or switch.
    """
    data = load_levers()
    facts = data.read_facts(words(request.facts, "facts"))
    base, known_on = base_law(request)
    plain = scenario_of(common_pb2.ScenarioRef(), "")
    scenarios = scenarios_of(request, _SCENARIOS_LIMIT)
    before = _under(request, plain, facts, known_on, None)
    response = pb.CompareOptionsResponse(
        facts=[message_of(pb.OptionFact, one) for one in data.facts.values()]
    )
    for scenario in scenarios:
        check_cancelled(cancelled)
        found = before if scenario.id == plain.id else _under(request, scenario, facts, known_on, before)
        response.scenarios.append(_scenario(scenario.id, found))
    response.provenance.CopyFrom(
        law_provenance(
            base,
            request,
            scenarios,
            known_on=known_on_text(base, known_on),
            on=request.line.entry or str(base.as_of),
            options_as_of=str(data.as_of),
        )
    )
    return response


def _under(
    request: pb.CompareOptionsRequest,
    scenario: Scenario,
    facts: Facts,
    known_on: str | None,
    before: Options | None,
) -> Options:
    laws = laws_of(request, scenario)
    return list_options(laws, read_line(request.line), facts, known_on=known_on, before=before)


def _scenario(name: str, found: Options) -> pb.ScenarioOptions:
    best = message_of(pb.BestOptions, found.best, options=found.best.levers)
    return message_of(pb.ScenarioOptions, found, id=name, options=map(_option, found.options), best=best)


def _option(one: Option) -> pb.DutyOption:
    lever = one.lever
    return message_of(
        pb.DutyOption,
        one,
        id=lever.id,
        title=lever.title,
        catch=lever.catch,
        papers=lever.papers,
        citations=lever.cite,
        confidence=lever.conf,
    )
