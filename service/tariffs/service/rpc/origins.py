"""DutyService.CompareOrigins: landed cost of a unit from each origin under scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from tariffs.engine.errors import InputError
from tariffs.engine.line_duty.entry_dates import known_on_text
from tariffs.engine.line_duty.entry_line import ZERO, EntryLine
from tariffs.engine.runs.law_history.law_changes import read_window
from tariffs.engine.schedule.countries import origin_codes
from tariffs.engine.schedule.country_names import read_country
from tariffs.firm.law_days import Days, Laws, days_of
from tariffs.firm.origins import Comparison, Offer, OriginCost, compare_origins, imports_of, regrets
from tariffs.service.rpc.checks import decimal, required, word
from tariffs.service.rpc.duty import read_line
from tariffs.service.rpc.importer_requests import base_law, laws_of, scenarios_of, units_of
from tariffs.service.rpc.messages import message_of
from tariffs.service.rpc.shared import law_provenance
from tariffs.service.wire.status import Cancelled, check_cancelled, failure_of, request_invalid
from tariffs.v1 import duty_service_pb2 as pb

_SCENARIOS_LIMIT, _ORIGINS_NAMED = 100, 5


def compare(request: pb.CompareOriginsRequest, cancelled: Cancelled) -> pb.CompareOriginsResponse:
    """Compare origins under each scenario.

    Raises:
        TariffsError: an invalid line, offer, day, scenario or switch; or no origin can be rated.
    """
    offers, line, today = _offers(request)
    units = units_of(request)
    base, known_on = base_law(request)
    scenarios = scenarios_of(request, _SCENARIOS_LIMIT)
    found: list[Comparison] = []
    for scenario in scenarios:
        laws = laws_of(request, scenario)
        days = _days(request, laws)
        found.append(
            compare_origins(laws, line, offers, days, units=units, known_on=known_on, cancelled=cancelled)
        )
    check_cancelled(cancelled)
    imports = imports_of(line.hts)
    response = pb.CompareOriginsResponse(
        scenarios=[
            _scenario(scenario.id, one, today, imports)
            for scenario, one in zip(scenarios, found, strict=True)
        ]
    )
    if len(found) > 1:
        response.regrets.extend(
            pb.OriginRegret(origin=origin, regret=_usd(loss)) for origin, loss in regrets(found).items()
        )
    on = {"on": request.line.entry or str(base.as_of)} if not request.start else {}
    period = {name: text for name, text in (("start", request.start), ("end", request.end)) if text}
    known = known_on_text(base, known_on)
    response.provenance.CopyFrom(law_provenance(base, request, scenarios, known_on=known, **on, **period))
    return response


def _offers(request: pb.CompareOriginsRequest) -> tuple[list[Offer], EntryLine, str]:
    """Read the prices by origin, one unit of the goods with the price of the first, and today's origin."""
    given = {one.origin: _offer(one) for one in map(_with_code, request.offers)}
    names = [_code(one, "origins") for one in request.origins] or list(given) or sorted(origin_codes())
    today = _code(request.line.origin, "line.origin") if request.line.origin else ""
    names = list(dict.fromkeys([*names, *([today] if today else [])]))
    one = pb.EntryLine()
    one.CopyFrom(request.line)
    one.origin = names[0]
    if not one.customs_value:
        unpriced = [name for name in names if name not in given]
        if unpriced:
            of_origins = f" of {', '.join(unpriced[:_ORIGINS_NAMED])}"
            raise InputError(
                "CUSTOMS_VALUE_INVALID",
                f"The price of a unit is missing{of_origins if given else ''}.",
                field="customs_value",
                fix="Give a unit cost, or offers with the price of each origin.",
            )
        one.customs_value = f"{given[names[0]].unit_cost:f}"
    line = read_line(one)
    common = Offer("", _number(line.value), _number(line.freight), _number(line.insurance))
    return [given.get(name) or common._replace(origin=name) for name in names], line, today


def _with_code(offer: pb.OriginOffer) -> pb.OriginOffer:
    coded = pb.OriginOffer()
    coded.CopyFrom(offer)
    coded.origin = _code(offer.origin, "offers.origin")
    return coded


def _offer(offer: pb.OriginOffer) -> Offer:
    cost = decimal(
        required(offer.unit_cost, "offers.unit_cost", "Give the price of a unit in US dollars."),
        "offers.unit_cost",
        "CUSTOMS_VALUE_INVALID",
    )
    freight, insurance = (
        decimal(text, f"offers.{name}", "CHARGE_INVALID") if text else ZERO
        for name, text in (("freight", offer.freight), ("insurance", offer.insurance))
    )
    return Offer(offer.origin, cost, freight, insurance)


def _code(text: str, field: str) -> str:
    code, _ = read_country(required(text, field, "Use the ISO 3166-1 alpha-2 code of a country."))
    return code


def _number(value: object) -> Decimal:
    return Decimal(str(value).replace(",", ""))


def _days(request: pb.CompareOriginsRequest, laws: Laws) -> Days:
    """Entry days with their weights: one day, or the first day of each span of a period in which nothing changes."""
    if not request.start and not request.end:
        return [(word(request.line.entry, "line.entry") or None, 1)]
    if request.line.entry:
        raise request_invalid(
            "A day and a period were given.", "line.entry", "Give line.entry, or start and end."
        )
    window = read_window(
        required(request.start, "start", "Give the first day of the period."),
        required(request.end, "end", "Give the last day of the period."),
        word(request.line.hts, "line.hts"),
        "",
    )
    return days_of(laws, window)


def _scenario(name: str, found: Comparison, today: str, imports: Mapping[str, float]) -> pb.ScenarioOrigins:
    costs = {one.offer.origin: one for one in found.origins}
    reference = costs.get(today)
    landed = reference.amounts.landed if reference is not None and reference.amounts is not None else None
    return pb.ScenarioOrigins(
        id=name,
        origins=[_cost(one, landed, imports.get(one.offer.origin, 0.0)) for one in found.origins],
        flips=[message_of(pb.OriginFlip, flip) for flip in found.flips],
    )


def _cost(one: OriginCost, landed: Decimal | None, imports: float) -> pb.OriginCost:
    premium = one.premium(landed) if landed is not None else None
    message = message_of(
        pb.OriginCost,
        one,
        origin=one.offer.origin,
        unit_cost=_usd(one.offer.unit_cost),
        imports=imports,
        failure=one.problem and failure_of(one.problem),
        premium=None if premium is None else f"{premium:f}",
    )
    if one.amounts is not None:
        amounts = one.amounts
        message.duty, message.owed, message.landed = map(_usd, (amounts.duty, amounts.owed, amounts.landed))
        message.landed_min, message.landed_max = _usd(amounts.low), _usd(amounts.high)
    return message


def _usd(amount: Decimal) -> str:
    """Write an amount with two decimals at least, four at most."""
    text = f"{amount:.4f}"
    return text[:-2] if text.endswith("00") else text
