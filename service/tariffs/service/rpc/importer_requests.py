"""Read what requests of importers share: law, day known, scenarios and units."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tariffs.engine.law.law import Law
from tariffs.engine.line_duty.entry_dates import read_known_on
from tariffs.engine.scenario.model import Scenario
from tariffs.engine.scenario.named import components
from tariffs.firm.law_days import Laws
from tariffs.service.rpc.checks import decimal, few, word
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.shared import filled, law_under, scenario_of
from tariffs.service.wire.status import request_invalid
from tariffs.v1 import common_pb2


def base_law(request: Any) -> tuple[Law, str | None]:
    """Return the law of a request before its scenarios, and the day as known on which it is read, as checked text.

    Raises:
        TariffsError: no such law version; ENTRY_DATE_INVALID, REQUEST_INVALID.
    """
    base = LAWS.named(request.law_version)
    known_on = word(request.known_on, "known_on") or None
    read_known_on(base, known_on, base.as_of)
    return base, known_on


def scenarios_of(request: Any, limit: int) -> list[Scenario]:
    """Return the scenarios of a request with their parameters filled in; `base` if it names none.

    Raises:
        TariffsError: REQUEST_INVALID for more than the limit; an invalid scenario or parameter.
    """
    few(request.scenarios, "scenarios", limit)
    refs = [scenario_of(ref, "scenarios") for ref in request.scenarios]
    return filled(refs or [scenario_of(common_pb2.ScenarioRef(), "")], request.parameters, "parameters")


def laws_of(request: Any, scenario: Scenario) -> Laws:
    """Return the laws of a scenario under the switches of a request, with their weights."""
    return [
        (weight, law_under(request.law_version, part, request.switches, request.min_confidence))
        for weight, part in components(scenario)
    ]


def units_of(request: Any) -> Decimal:
    """Return the number of units of a request; 1 if it gives none.

    Raises:
        InputError: REQUEST_INVALID if it is not above 0.
    """
    units = decimal(request.units, "units", "REQUEST_INVALID") if request.units else Decimal(1)
    if units <= 0:
        raise request_invalid(f"units is {request.units}.", "units", "Give a number above 0.")
    return units
