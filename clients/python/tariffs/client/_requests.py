"""Building request messages from what callers give. Pure: no channel, no files but those named by the caller."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from google.protobuf.descriptor import FieldDescriptor

from tariffs.client.errors import InvalidRequest
from tariffs.client.scenario import Scenario
from tariffs.v1 import common_pb2, duty_service_pb2, simulation_service_pb2

Money = Decimal | int | float | str
Day = str | date | int
ClaimValue = str | float | bool | Decimal
ChargeValue = Money | Sequence[Money]
ScenarioLike = str | Path | Scenario

_MODES = {
    "": common_pb2.TRANSPORT_MODE_UNSPECIFIED,
    "ocean": common_pb2.TRANSPORT_MODE_OCEAN,
    "air": common_pb2.TRANSPORT_MODE_AIR,
    "land": common_pb2.TRANSPORT_MODE_LAND,
}
DIRECTIONS = {
    "import": common_pb2.DIRECTION_IMPORT,
    "export": common_pb2.DIRECTION_EXPORT,
}
RESPONSES = {
    "armington": simulation_service_pb2.RESPONSE_MODEL_ARMINGTON,
    "passthrough": simulation_service_pb2.RESPONSE_MODEL_PASSTHROUGH,
    "smart": simulation_service_pb2.RESPONSE_MODEL_SMART,
    "none": simulation_service_pb2.RESPONSE_MODEL_NONE,
}
HORIZONS = {
    "impact": simulation_service_pb2.HORIZON_IMPACT,
    "short": simulation_service_pb2.HORIZON_SHORT,
    "long": simulation_service_pb2.HORIZON_LONG,
}
_CHARGES = {
    "adcvd": duty_service_pb2.CHARGE_KIND_ADCVD,
    "excise": duty_service_pb2.CHARGE_KIND_EXCISE,
    "other": duty_service_pb2.CHARGE_KIND_OTHER,
}
_PER = " USD/"
_PLAIN = re.compile(r"\d+(\.\d+)?")
_T = TypeVar("_T")
_DECIMALS = 10
_TRUE = frozenset({"true", "yes", "1"})
_FALSE = frozenset({"false", "no", "0"})
_WORDS = frozenset({"true", "yes", "false", "no"})


@dataclass(frozen=True, slots=True)
class ImpactOptions:
    """How a run is made; names and defaults as in `Client.impact`."""

    on: Day = ""
    baseline: Day = ""
    response: str = "armington"
    horizon: str = "short"
    parameters: str | Path | None = None
    by: Sequence[str] = ("origin",)
    known_on: Day = ""
    switches: Mapping[str, str] = field(default_factory=dict)
    min_confidence: str = ""
    include_lines: bool = False
    draws: int = 0
    seed: int = 0
    attribute: bool = False
    direction: str = "import"
    date_format: str = ""


Run = simulation_service_pb2.SimulateRequest | simulation_service_pb2.TimelineRequest


# Options that have no meaning over a period.
ONE_DAY_OPTIONS = frozenset({"on", "include_lines", "draws", "seed", "attribute"})


def shallow(options: ImpactOptions) -> dict[str, object]:
    """The options by name."""
    return {field.name: getattr(options, field.name) for field in fields(options)}


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
    """The message of one entry line.

    Raises:
        InvalidRequest: REQUEST_INVALID for an unknown mode, CLAIM_INVALID for a claim of the wrong type,
            CHARGE_INVALID for an unknown kind of charge.
    """
    return duty_service_pb2.EntryLine(
        hts=str(hts),
        origin=origin,
        entry=day_text(entry_date),
        customs_value=money_text(value),
        claims=claims_message(claims or {}),
        quantity=money_text(quantity),
        unit=unit or "",
        mode=_one_of(_MODES, (mode or "").lower(), "mode", "REQUEST_INVALID"),
        freight=money_text(freight),
        insurance=money_text(insurance),
        other_charges=charge_messages(charges or {}),
        ordinary_rate=None if ordinary_rate is None else rate_text(ordinary_rate),
        entry_id=entry_id,
        line_id=line_id,
    )


def charge_messages(charges: Mapping[str, ChargeValue]) -> list[duty_service_pb2.OtherCharge]:
    """The messages of charges by kind, each one value or several.

    `12.5%` is a rate on the entered value, `1.07 USD/L` money per unit, anything else an amount in USD.
    """
    return [_charge_message(kind, value) for kind, values in charges.items() for value in _several(values)]


def _several(values: ChargeValue) -> Sequence[Money]:
    return [values] if isinstance(values, Decimal | int | float | str) else values


def _charge_message(kind: str, value: Money) -> duty_service_pb2.OtherCharge:
    message = duty_service_pb2.OtherCharge(kind=_one_of(_CHARGES, kind, "other_charges", "CHARGE_INVALID"))
    text = money_text(value)
    usd, per, unit = text.partition(_PER)
    if text.endswith("%") and _PLAIN.fullmatch(text[:-1].strip()):
        message.rate = format(_percentage(text), "f")
    elif per:
        message.per_unit.usd, message.per_unit.unit = usd.strip(), unit.strip()
    else:
        message.amount = text
    return message


def rate_text(rate: Money | None) -> str:
    """A rate as the wire has it: `7%` is 0.07; what is 100 % or more stays as given, for the service to refuse."""
    text = money_text(rate)
    if text.endswith("%") and _PLAIN.fullmatch(text[:-1].strip()):
        fraction = _percentage(text)
        return format(fraction, "f") if fraction < 1 else text
    return text


def _percentage(text: str) -> Decimal:
    return Decimal(text[:-1].strip()) / 100


def direction_value(direction: str) -> common_pb2.Direction:
    """The message's word for import or export; InvalidRequest REQUEST_INVALID for any other."""
    return _one_of(DIRECTIONS, direction, "direction", "REQUEST_INVALID")


def claims_message(claims: Mapping[str, ClaimValue]) -> duty_service_pb2.Claims:
    """The message of declared facts; a name without a field of its own travels as text for the law to judge."""
    message = duty_service_pb2.Claims()
    fields = duty_service_pb2.Claims.DESCRIPTOR.fields_by_name
    for name, value in claims.items():
        known = fields.get(name)
        if known is None or name == "others":
            message.others[name] = _claim_text(value)
        else:
            setattr(message, name, _claim_value(name, value, known.type))
    return message


def scenario_ref(scenario: ScenarioLike | None) -> common_pb2.ScenarioRef | None:
    """The reference to a scenario by name or with its text; None is the law as it is."""
    if scenario is None:
        return None
    known = Scenario.of(scenario)
    return common_pb2.ScenarioRef(name=known.name) if known.name else common_pb2.ScenarioRef(yaml=known.text)


def simulate_request(
    scenarios: Sequence[ScenarioLike], options: ImpactOptions
) -> simulation_service_pb2.SimulateRequest:
    """The message that asks for a run, without its table.

    Raises:
        InvalidRequest: PARAMETER_INVALID for an unknown response, horizon or parameter set, or for draws or a seed
            that are not whole numbers; REQUEST_INVALID for an unknown direction.
        NotFound: SCENARIO_NOT_FOUND for a scenario file that cannot be read.
    """
    request = simulation_service_pb2.SimulateRequest(
        points=_points(scenarios, options),
        baseline=day_text(options.baseline),
        response=_one_of(RESPONSES, options.response, "response", "PARAMETER_INVALID"),
        horizon=_one_of(HORIZONS, options.horizon, "horizon", "PARAMETER_INVALID"),
        by=list(options.by),
        known_on=day_text(options.known_on),
        switches=dict(options.switches),
        min_confidence=options.min_confidence,
        include_lines=options.include_lines,
        attribute=options.attribute,
        draws=_whole(options.draws, "draws", 2**32),
        seed=_whole(options.seed, "seed", 2**63),
        direction=direction_value(options.direction),
        date_format=options.date_format,
    )
    _set_parameters(request, options.parameters)
    return request


def lines_config(
    scenarios: Sequence[ScenarioLike], options: ImpactOptions
) -> simulation_service_pb2.LinesConfig:
    """The message that says how rows of a stream are valued; errors as of `simulate_request`."""
    return simulation_service_pb2.LinesConfig(
        points=_points(scenarios, options),
        known_on=day_text(options.known_on),
        switches=dict(options.switches),
        min_confidence=options.min_confidence,
        direction=direction_value(options.direction),
        date_format=options.date_format,
    )


def _points(scenarios: Sequence[ScenarioLike], options: ImpactOptions) -> list[simulation_service_pb2.Point]:
    return [
        simulation_service_pb2.Point(scenario=scenario_ref(one), on=one.day or day_text(options.on))
        for one in map(Scenario.of, scenarios)
    ]


def timeline_request(
    scenarios: Sequence[ScenarioLike], start: Day, end: Day, options: ImpactOptions
) -> simulation_service_pb2.TimelineRequest:
    """The message that asks for a period, without its table; errors as of `simulate_request`."""
    request = simulation_service_pb2.TimelineRequest(
        scenarios=[ref for one in scenarios if (ref := scenario_ref(one))],
        start=day_text(start),
        end=day_text(end),
        baseline=day_text(options.baseline),
        response=_one_of(RESPONSES, options.response, "response", "PARAMETER_INVALID"),
        horizon=_one_of(HORIZONS, options.horizon, "horizon", "PARAMETER_INVALID"),
        by=list(options.by),
        known_on=day_text(options.known_on),
        switches=dict(options.switches),
        min_confidence=options.min_confidence,
        direction=direction_value(options.direction),
        date_format=options.date_format,
    )
    _set_parameters(request, options.parameters)
    return request


def money_text(value: Money | None) -> str:
    """Decimal text without exponent; text stays as given, for the service to read.

    A float is taken as it prints, less what is beyond the ten decimals of the wire: 0.1 + 0.2 is 0.3.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float):
        return _float_text(float(value))
    return format(value if isinstance(value, Decimal) else Decimal(int(value)), "f")


def day_text(value: Day | None) -> str:
    """Text of a day or instant, for the service to judge; nothing gives empty text, the law's as-of day."""
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value).strip()


def _float_text(value: float) -> str:
    number = Decimal(repr(value))
    if not number.is_finite():
        return str(value)
    return format(round(number, _DECIMALS).normalize(), "f")


def _set_parameters(request: Run, parameters: str | Path | None) -> None:
    if parameters is None:
        return
    if parameters in {"low", "high"}:
        request.parameter_set = str(parameters)
        return
    try:
        request.parameter_csv = Path(parameters).read_bytes()
    except OSError as error:
        raise InvalidRequest(
            "PARAMETER_INVALID",
            f"The parameter file {parameters} cannot be read: {error.strerror}.",
            field="parameters",
            fix="Give low, high, or the path of a CSV file.",
        ) from error


def _whole(value: int, name: str, limit: int) -> int:
    if 0 <= value < limit and value == int(value):
        return int(value)
    raise InvalidRequest(
        "PARAMETER_INVALID",
        f"{name} is {value!r}.",
        field=name,
        fix=f"Give a whole number from 0 to {limit - 1:,}.",
    )


def _one_of(choices: Mapping[str, _T], value: str, name: str, reason: str) -> _T:
    if value in choices:
        return choices[value]
    raise InvalidRequest(
        reason, f"{name} is {value!r}.", field=name, fix=f"Give one of {', '.join(c for c in choices if c)}."
    )


def _claim_value(name: str, value: ClaimValue, kind: int) -> str | float | bool | int:
    try:
        if kind == FieldDescriptor.TYPE_DOUBLE:
            return _share(value)
        if kind == FieldDescriptor.TYPE_INT32:
            return _year(value)
        if kind == FieldDescriptor.TYPE_BOOL:
            return _truth(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidRequest(
            "CLAIM_INVALID",
            f"The claim {name} is {value!r}.",
            field=f"claims.{name}",
            fix="Give yes or no." if kind == FieldDescriptor.TYPE_BOOL else "Give a number.",
        ) from error
    return _claim_text(value)


def _year(value: ClaimValue) -> int:
    if float(value) != int(float(value)):
        raise ValueError(value)
    return int(float(value))


def _share(value: ClaimValue) -> float:
    """A number, a percentage, or yes and no."""
    if not isinstance(value, str):
        return float(value)
    text = value.strip().lower()
    if "_" in text:
        # Python's own notation, which no table knows.
        raise ValueError(value)
    if text in _WORDS:
        return float(text in _TRUE)
    return float(Decimal(text[:-1]) / 100) if _PLAIN.fullmatch(text[:-1]) and text[-1] == "%" else float(text)


def _truth(value: ClaimValue) -> bool:
    text = str(value).strip().lower()
    if text in _TRUE | _FALSE:
        return text in _TRUE
    raise ValueError(text)


def _claim_text(value: ClaimValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.strip() if isinstance(value, str) else money_text(value)
