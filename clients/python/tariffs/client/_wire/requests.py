"""Build request messages from the arguments of calls."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tariffs.client import _arguments as arguments
from tariffs.client._wire.run_options import read_option
from tariffs.client.errors import InvalidRequest
from tariffs.client.scenario import Scenario
from tariffs.run_spec.option import Day, Kind
from tariffs.run_spec.spec import OPTIONS, RunSpec
from tariffs.v1 import common_pb2, duty_service_pb2, simulation_service_pb2

ClaimValue = str | float | bool | Decimal
_PLAIN = re.compile(r"\d+(\.\d+)?")
_TRUE = frozenset({"true", "yes", "1"})
_FALSE = frozenset({"false", "no", "0"})
_WORDS = frozenset({"true", "yes", "false", "no"})
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
_CHARGES = {
    "adcvd": duty_service_pb2.CHARGE_KIND_ADCVD,
    "excise": duty_service_pb2.CHARGE_KIND_EXCISE,
    "other": duty_service_pb2.CHARGE_KIND_OTHER,
}
_PER = " USD/"
_ID = re.compile(r"^id:\s*['\"]?([\w.-]+)", re.MULTILINE)
FIELD = "law_version"


def claims_message(claims: Mapping[str, ClaimValue] | None) -> duty_service_pb2.Claims:
    """Build the message of declared claims; a claim without its own field is sent as text."""
    message = duty_service_pb2.Claims()
    fields = duty_service_pb2.Claims.DESCRIPTOR.fields_by_name
    for name, value in arguments.mapping(claims, "claims").items():
        known = fields.get(name)
        if known is None or name == "others":
            message.others[name] = _claim_text(name, value)
        else:
            setattr(message, name, _claim_value(name, value, known.type))
    return message


def _claim_value(name: str, value: Any, kind: int) -> str | float | bool | int:
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
    return _claim_text(name, value)


def _year(value: Any) -> int:
    if float(value) != int(float(value)):
        raise ValueError(value)
    return int(float(value))


def _share(value: Any) -> float:
    """Read a number, a percentage, or yes and no."""
    if not isinstance(value, str):
        return float(value)
    text = value.strip().lower()
    if "_" in text:
        # Python's own notation, which no table knows.
        raise ValueError(value)
    if text in _WORDS:
        return float(text in _TRUE)
    return float(Decimal(text[:-1]) / 100) if _PLAIN.fullmatch(text[:-1]) and text[-1] == "%" else float(text)


def _truth(value: Any) -> bool:
    text = str(value).strip().lower()
    if text in _TRUE | _FALSE:
        return text in _TRUE
    raise ValueError(text)


def _claim_text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return arguments.money(value, f"claims.{name}")


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
    number: common_pb2.Direction = _number(
        common_pb2.Direction.DESCRIPTOR, read_option("direction", direction)
    )
    return number


def _number(enum: Any, name: str) -> Any:
    """Look up the number of a choice in an enum; no choice is its unspecified value."""
    first = enum.values[0].name
    return enum.values_by_name[first.removesuffix("UNSPECIFIED") + name.upper() if name else first].number


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


def scenario_refs(scenarios: ScenarioLike | Sequence[ScenarioLike]) -> list[common_pb2.ScenarioRef]:
    """Build the references to one scenario, or to several."""
    several = scenarios if isinstance(scenarios, Sequence) and not isinstance(scenarios, str) else [scenarios]
    return [ref for one in several if (ref := scenario_ref(one))]


def run_request(message: type[_M], spec: RunSpec, **own: object) -> _M:
    """Build the request of a run, without its table: fields of its own, and each option that the message has.

    Raises:
        InvalidRequest: PARAMETER_INVALID for a parameter file that cannot be read.
    """
    fields = message.DESCRIPTOR.fields_by_name
    values: dict[str, object] = {}
    for one in OPTIONS.values():
        field = fields.get(one.wire) or fields.get(one.name)
        if field is not None and one.kind is not Kind.PARAMETER_SET:
            value = getattr(spec, one.name)
            values[field.name] = _number(field.enum_type, value) if one.kind is Kind.CHOICE else value
    request = message(**{**values, **own})
    if spec.parameter_set and "parameter_set" in fields:
        _set_parameters(request, spec.parameter_set)
    return request


def law_request(verb: str, message: type[_M], options: Mapping[str, Any], **own: object) -> _M:
    """Build a request about a law: options of the law that it has a field for, and fields of its own.

    Raises:
        TypeError: there is no such option.
        InvalidRequest: as `read_option`.
    """
    fields = message.DESCRIPTOR.fields_by_name
    for name in options:
        if name not in OPTIONS or {OPTIONS[name].wire, name}.isdisjoint(fields):
            raise TypeError(f"{verb}() got an unexpected keyword argument {name!r}")
    given = {name: read_option(name, value) for name, value in options.items() if value is not None}
    return run_request(message, RunSpec(**given), **own)


def lookup_request(message: type[_M], /, **given: object) -> _M:
    """Build a request of single values; raises InvalidRequest REQUEST_INVALID for a text that is none."""
    fields = message.DESCRIPTOR.fields_by_name
    return message(
        **{
            name: arguments.text(value, name) if fields[name].type == FieldDescriptor.TYPE_STRING else value
            for name, value in given.items()
        }
    )


def method_of(request: Message) -> str:
    """Name the method that takes a request."""
    return request.DESCRIPTOR.name.removesuffix("Request")


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
    return run_request(simulation_service_pb2.LinesConfig, options, points=_points(scenarios, options))


def _points(scenarios: Sequence[ScenarioLike], options: RunSpec) -> list[simulation_service_pb2.Point]:
    return [
        simulation_service_pb2.Point(scenario=scenario_ref(one), on=one.day or options.on)
        for one in _told_apart(scenarios, options.on)
    ]


def _told_apart(scenarios: Sequence[ScenarioLike], on: str = "") -> list[Scenario]:
    """Convert scenarios; raises REQUEST_INVALID if two have one id and day, the keys of the rows of a result."""
    parsed = [Scenario.of(one) for one in scenarios]
    runs = Counter((one.name or "".join(_ID.findall(one.text)[:1]), one.day or on) for one in parsed)
    for (name, _), count in runs.items():
        if name and count > 1:
            raise InvalidRequest(
                "REQUEST_INVALID",
                f"{count} scenarios of one day have the id {name!r}.",
                field="scenarios",
                fix="Name a scenario once, and give each file an `id` of its own.",
            )
    return parsed


def timeline_request(
    scenarios: Sequence[ScenarioLike], start: Day, end: Day, options: RunSpec
) -> simulation_service_pb2.TimelineRequest:
    """Build the request of a timeline, without its table; raises as `simulate_request`."""
    return run_request(
        simulation_service_pb2.TimelineRequest,
        options,
        scenarios=scenario_refs(_told_apart(scenarios)),
        start=arguments.day(start, "start"),
        end=arguments.day(end, "end"),
    )


def _set_parameters(request: Any, parameters: str) -> None:
    """Set the elasticities of the response in a request, a file with its content; raises PARAMETER_INVALID."""
    if parameters in OPTIONS["parameter_set"].choices:
        request.parameter_set = parameters
        return
    try:
        request.parameter_csv = Path(parameters).read_bytes()
    except (OSError, ValueError) as error:
        raise InvalidRequest(
            "PARAMETER_INVALID",
            f"The parameter file {parameters} cannot be read: {getattr(error, 'strerror', None) or error}.",
            field="parameter_set",
            fix="Give low, high, central, wits, or the path of a CSV file.",
        ) from error


def name_law(request: Any, law_version: str) -> None:
    """Write a law into a request that depends on the law and names none."""
    if not law_version:
        return
    fields = request.DESCRIPTOR.fields_by_name
    if FIELD in fields:
        request.law_version = request.law_version or law_version
    elif request.DESCRIPTOR.name == "StartRunRequest" and (kind := request.WhichOneof("request")) is not None:
        name_law(getattr(request, kind), law_version)


def with_law(requests: Iterator[Any], law_version: str) -> Iterator[Any]:
    """Yield the messages of a stream of rows, the first with the law."""
    for request in requests:
        if request.HasField("config"):
            name_law(request.config, law_version)
        yield request
