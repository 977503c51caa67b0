"""Build request messages from the arguments of calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf.message import Message

from tariffs.client import _arguments as arguments
from tariffs.client._wire.claim_message import ClaimValue, claims_message
from tariffs.client._wire.run_options import Day, RunSpec
from tariffs.client.errors import InvalidRequest
from tariffs.client.scenario import Scenario
from tariffs.v1 import common_pb2, duty_service_pb2, simulation_service_pb2

_M = TypeVar("_M", bound=Message)
Money = Decimal | int | float | str
ChargeValue = Money | Sequence[Money]
ScenarioLike = str | Path | Scenario

_MODE_NAMES = {
    common_pb2.TRANSPORT_MODE_OCEAN: "ocean 10 11 sea vessel ship maritime",
    common_pb2.TRANSPORT_MODE_AIR: "air 40 41 aircraft airplane plane",
    common_pb2.TRANSPORT_MODE_LAND: "land 20 21 30 31 32 33 34 truck rail train road",
}
# The same words and codes as in tables (engine, schedule/transport.py).
MODES = {"": common_pb2.TRANSPORT_MODE_UNSPECIFIED} | {
    name: mode for mode, names in _MODE_NAMES.items() for name in names.split()
}
DIRECTIONS = {
    "import": common_pb2.DIRECTION_IMPORT,
    "export": common_pb2.DIRECTION_EXPORT,
}
RESPONSES = {
    "armington": simulation_service_pb2.RESPONSE_MODEL_ARMINGTON,
    "passthrough": simulation_service_pb2.RESPONSE_MODEL_PASSTHROUGH,
    "smart": simulation_service_pb2.RESPONSE_MODEL_SMART,
    "gsim": simulation_service_pb2.RESPONSE_MODEL_GSIM,
    "exact_hat": simulation_service_pb2.RESPONSE_MODEL_EXACT_HAT,
    "none": simulation_service_pb2.RESPONSE_MODEL_NONE,
}
HORIZONS = {
    "impact": simulation_service_pb2.HORIZON_IMPACT,
    "short": simulation_service_pb2.HORIZON_SHORT,
    "long": simulation_service_pb2.HORIZON_LONG,
    "path": simulation_service_pb2.HORIZON_PATH,
}
MARKETS = {
    "product": simulation_service_pb2.MARKET_PRODUCT,
    "sector": simulation_service_pb2.MARKET_SECTOR,
}
CONSUMER_PRICES = {
    "": simulation_service_pb2.CONSUMER_PRICE_METHOD_UNSPECIFIED,
    "dollar": simulation_service_pb2.CONSUMER_PRICE_METHOD_DOLLAR,
    "percent": simulation_service_pb2.CONSUMER_PRICE_METHOD_PERCENT,
    "yale": simulation_service_pb2.CONSUMER_PRICE_METHOD_YALE,
    "dollar_2024": simulation_service_pb2.CONSUMER_PRICE_METHOD_DOLLAR_2024,
    "percent_2024": simulation_service_pb2.CONSUMER_PRICE_METHOD_PERCENT_2024,
    "dollar_offset": simulation_service_pb2.CONSUMER_PRICE_METHOD_DOLLAR_OFFSET,
    "percent_offset": simulation_service_pb2.CONSUMER_PRICE_METHOD_PERCENT_OFFSET,
}
_CHARGES = {
    "adcvd": duty_service_pb2.CHARGE_KIND_ADCVD,
    "excise": duty_service_pb2.CHARGE_KIND_EXCISE,
    "other": duty_service_pb2.CHARGE_KIND_OTHER,
}
_PER = " USD/"
_PLAIN = re.compile(r"\d+(\.\d+)?")


def duty_line(
    hts: str,
    origin: str,
    entry_date: Day | None,
    value: Money,
    *,
    claims: Mapping[str, ClaimValue] | None,
    quantity: Money | None,
    unit: str | None,
    mode: str | None,
    freight: Money | None,
    insurance: Money | None,
    charges: Mapping[str, ChargeValue] | None = None,
    ordinary_rate: Money | None = None,
    entry_id: str = "",
    line_id: str = "",
) -> duty_service_pb2.EntryLine:
    """Build the message of one entry line.

    Raises:
        InvalidRequest: REQUEST_INVALID for an unknown mode or a text of the wrong type, CLAIM_INVALID for a claim of
            the wrong type, CHARGE_INVALID for an unknown kind of charge; the reason of the field for an amount that
            is no number.
    """
    return duty_service_pb2.EntryLine(
        hts=arguments.text(str(hts), "hts"),
        origin=arguments.text(origin, "origin"),
        entry=arguments.day(entry_date, "entry_date"),
        customs_value=arguments.money(value, "customs_value"),
        claims=claims_message(claims),
        quantity=arguments.money(quantity, "quantity"),
        unit=arguments.text(unit, "unit"),
        mode=arguments.one_of(MODES, arguments.text(mode, "mode").lower(), "mode", "REQUEST_INVALID"),
        freight=arguments.money(freight, "freight"),
        insurance=arguments.money(insurance, "insurance"),
        other_charges=charge_messages(charges),
        ordinary_rate=None if ordinary_rate is None else rate_text(ordinary_rate, "ordinary_rate"),
        entry_id=entry_id,
        line_id=line_id,
    )


def charge_messages(charges: Mapping[str, ChargeValue] | None) -> list[duty_service_pb2.OtherCharge]:
    """Build the messages of charges by kind, each one value or several.

    `12.5%` is a rate on the entered value, `1.07 USD/L` money per unit, anything else an amount in USD.
    """
    return [
        _charge_message(kind, value)
        for kind, values in arguments.mapping(charges, "charges").items()
        for value in (values if isinstance(values, list | tuple) else [values])
    ]


def _charge_message(kind: str, value: object) -> duty_service_pb2.OtherCharge:
    message = duty_service_pb2.OtherCharge(
        kind=arguments.one_of(_CHARGES, kind, "other_charges", "CHARGE_INVALID")
    )
    text = arguments.money(value, f"other_charges.{kind}")
    usd, per, unit = text.partition(_PER)
    if text.endswith("%") and _PLAIN.fullmatch(text[:-1].strip()):
        message.rate = format(_percentage(text), "f")
    elif per:
        message.per_unit.usd, message.per_unit.unit = usd.strip(), unit.strip()
    else:
        message.amount = text
    return message


def rate_text(rate: Money | None, name: str) -> str:
    """Convert a rate to a fraction: `7%` is 0.07; 100 % or more stays as given and is refused by the service."""
    text = arguments.money(rate, name)
    if text.endswith("%") and _PLAIN.fullmatch(text[:-1].strip()):
        fraction = _percentage(text)
        return format(fraction, "f") if fraction < 1 else text
    return text


def _percentage(text: str) -> Decimal:
    return Decimal(text[:-1].strip()) / 100


def direction_value(direction: str) -> common_pb2.Direction:
    """Look up import or export; raises InvalidRequest for any other text."""
    return arguments.one_of(DIRECTIONS, direction, "direction", "REQUEST_INVALID")


def scenario_ref(scenario: ScenarioLike | None) -> common_pb2.ScenarioRef | None:
    """Build the reference to a scenario by name or with its text; None is the law without edits."""
    if scenario is None:
        return None
    parsed = Scenario.of(scenario)
    arguments.text(parsed.name, "scenario")
    arguments.text(parsed.text, "scenario")
    return (
        common_pb2.ScenarioRef(name=parsed.name) if parsed.name else common_pb2.ScenarioRef(yaml=parsed.text)
    )


_FIELDS: Mapping[str, Callable[[RunSpec], object]] = {
    "baseline": lambda o: arguments.day(o.baseline, "baseline"),
    "response": lambda o: arguments.one_of(RESPONSES, o.response, "response", "PARAMETER_INVALID"),
    "horizon": lambda o: arguments.one_of(HORIZONS, o.horizon, "horizon", "PARAMETER_INVALID"),
    "market": lambda o: arguments.one_of(MARKETS, o.market, "market", "PARAMETER_INVALID"),
    "by": lambda o: o.by,
    "known_on": lambda o: arguments.day(o.known_on, "known_on"),
    "ahead": lambda o: arguments.day(o.ahead, "ahead"),
    "fx_offset": lambda o: arguments.number(o.fx_offset, "fx_offset"),
    "reaction": lambda o: arguments.number(o.reaction, "reaction"),
    "switches": lambda o: o.switches,
    "min_confidence": lambda o: o.min_confidence,
    "law_version": lambda o: o.law_version,
    "include_lines": lambda o: arguments.flag(o.include_lines, "include_lines"),
    "attribute": lambda o: arguments.flag(o.attribute, "attribute"),
    "draws": lambda o: arguments.whole(o.draws, "draws", 2**32),
    "seed": lambda o: arguments.whole(o.seed, "seed", 2**63),
    "consumer_prices": lambda o: arguments.one_of(
        CONSUMER_PRICES, o.consumer_prices, "consumer_prices", "PARAMETER_INVALID"
    ),
    "direction": lambda o: direction_value(o.direction),
    "to": lambda o: o.to,
    "date_format": lambda o: o.date_format,
    "scenario_parameters": lambda o: o.scenario_values,
}
"""Value of each field of a request that is an option of the run; a message has those of its verb."""


def run_request(message: type[_M], options: RunSpec, **own: object) -> _M:
    """Build the request of a run, without its table: fields of its own, and each option that the message has.

    Raises:
        InvalidRequest: PARAMETER_INVALID for an unknown response, horizon or parameter set, or for draws or a seed
            that are not whole numbers, or for a flag that is not True or False; REQUEST_INVALID for an unknown
            direction.
    """
    names = message.DESCRIPTOR.fields_by_name
    request = message(**{name: value(options) for name, value in _FIELDS.items() if name in names}, **own)
    if "parameter_set" in names:
        set_parameters(request, options.parameter_set)
    return request


def simulate_request(
    scenarios: Sequence[ScenarioLike], options: RunSpec
) -> simulation_service_pb2.SimulateRequest:
    """Build the request of an impact run, without its table.

    Raises:
        InvalidRequest: as `run_request`.
        NotFound: SCENARIO_NOT_FOUND for a scenario file that cannot be read.
    """
    return run_request(simulation_service_pb2.SimulateRequest, options, points=_points(scenarios, options))


def lines_config(scenarios: Sequence[ScenarioLike], options: RunSpec) -> simulation_service_pb2.LinesConfig:
    """Build the options of a stream of rows; raises the errors of `simulate_request`."""
    return run_request(
        simulation_service_pb2.LinesConfig,
        options,
        points=_points(scenarios, options),
        parameters=options.scenario_values,
    )


def _points(scenarios: Sequence[ScenarioLike], options: RunSpec) -> list[simulation_service_pb2.Point]:
    return [
        simulation_service_pb2.Point(
            scenario=scenario_ref(one), on=one.day or arguments.day(options.on, "on")
        )
        for one in map(Scenario.of, scenarios)
    ]


def timeline_request(
    scenarios: Sequence[ScenarioLike], start: Day, end: Day, options: RunSpec
) -> simulation_service_pb2.TimelineRequest:
    """Build the request of a timeline, without its table.

    Raises:
        InvalidRequest: as `simulate_request`.
    """
    return run_request(
        simulation_service_pb2.TimelineRequest,
        options,
        scenarios=[ref for one in scenarios if (ref := scenario_ref(one))],
        start=arguments.day(start, "start"),
        end=arguments.day(end, "end"),
    )


_SETS = frozenset({"low", "high", "central", "wits"})


def set_parameters(request: Any, parameters: str | Path | None) -> None:
    """Set the parameters of the response in a request, a file with its content; raises PARAMETER_INVALID."""
    if parameters is None:
        return
    if isinstance(parameters, str) and parameters in _SETS:
        request.parameter_set = parameters
        return
    try:
        request.parameter_csv = Path(parameters).read_bytes()
    except (OSError, TypeError, ValueError) as error:
        raise InvalidRequest(
            "PARAMETER_INVALID",
            f"The parameter file {parameters} cannot be read: {getattr(error, 'strerror', None) or error}.",
            field="parameter_set",
            fix="Give low, high, central, wits, or the path of a CSV file.",
        ) from error
