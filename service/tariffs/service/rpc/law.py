"""LawService: describe the law in use and its measures."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from tariffs.engine.base.spelling import nearest
from tariffs.engine.errors import LawError
from tariffs.engine.law import Claim, Law, Measure, Period, Switch
from tariffs.engine.law.amendments import Act
from tariffs.engine.law.conditions import MODE
from tariffs.engine.law.describe_rows import describe_base, describe_charge, describe_goods
from tariffs.engine.law.law import EXPORT, IMPORT
from tariffs.engine.law.model import Row
from tariffs.engine.line_duty.entry_dates import entry_instant
from tariffs.service.rpc.checks import required, value_of, word
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.shared import day_text, instant_text, law_provenance
from tariffs.v1 import common_pb2, law_service_pb2


def get_law(request: law_service_pb2.GetLawRequest) -> law_service_pb2.Law:
    """Return the version of the law, its switches and claims."""
    law = LAWS.named(request.law_version)
    first, last = law.coverage
    return law_service_pb2.Law(
        version=law.version,
        as_of=law.as_of.isoformat(),
        read_to=law.read_to.isoformat(),
        coverage_start_time=instant_text(first, law.zones[IMPORT]),
        coverage_end_time=instant_text(last, law.zones[IMPORT]),
        digest=law.digest,
        switches=[_switch(law.switches[name]) for name in sorted(law.switches)],
        claims=[_claim(law.claims[name]) for name in sorted(law.claims) if name != MODE],
        provenance=law_provenance(law, request),
    )


def list_measures(request: law_service_pb2.ListMeasuresRequest) -> law_service_pb2.ListMeasuresResponse:
    """List all measures, or those of an authority and its descendants, by id.

    Raises:
        LawError: MEASURE_NOT_FOUND if the law has no such authority.
    """
    law, node = LAWS.named(request.law_version), word(request.authority, "authority")
    measures = [measure for _, measure in sorted(law.measures.items()) if not node or node in measure.parents]
    if node and not measures:
        nodes = sorted({parent for measure in law.measures.values() for parent in measure.parents})
        raise LawError(
            "MEASURE_NOT_FOUND",
            f"The law has no authority {node!r}.",
            field="authority",
            fix=f"Authorities: {', '.join(nodes)}.",
        )
    return law_service_pb2.ListMeasuresResponse(
        measures=[_measure(measure) for measure in measures], provenance=law_provenance(law, request)
    )


def get_measure(request: law_service_pb2.GetMeasureRequest) -> law_service_pb2.Measure:
    """Return one measure with its periods and acts, by its id or the label of a period.

    Raises:
        LawError: MEASURE_NOT_FOUND, with the nearest ids, or MEASURE_RETIRED.
    """
    law = LAWS.named(request.law_version)
    measure = _find_measure(law, required(request.id, "id", "Use the id of a measure."))
    message = _measure(measure)
    zone = law.context(measure.market).zone
    message.periods.extend(_period(period, zone) for period in measure.periods)
    message.events.extend(_event(act, zone) for act in law.acts[measure.id])
    message.lists.extend(_lists(law, measure))
    message.provenance.CopyFrom(law_provenance(law, request))
    return message


def _find_measure(law: Law, name: str) -> Measure:
    if name in law.measures:
        return law.measures[name]
    for measure in law.measures.values():
        if name in measure.labels:
            return measure
    if name in law.retired:
        raise LawError(
            "MEASURE_RETIRED", f"{name!r} is retired.", field="id", fix=f"Use {law.retired[name]}."
        )
    near = nearest(name, law.names, similarity=0.6)
    raise LawError(
        "MEASURE_NOT_FOUND",
        f"The law has no measure {name!r}.",
        field="id",
        fix=f"Nearest: {', '.join(near)}." if near else "`tariffs law measures` lists all ids.",
        metadata={"nearest": ", ".join(near)},
    )


def _measure(measure: Measure) -> law_service_pb2.Measure:
    return law_service_pb2.Measure(
        id=measure.id,
        title=measure.title,
        authority=measure.authority,
        direction=value_of(common_pb2.Direction, measure.direction),
        modelled=measure.modelled,
        announced=measure.announced,
        confidence=value_of(law_service_pb2.Confidence, measure.conf),
        citations=measure.cite,
        note=measure.note,
        destination=measure.market if measure.direction == EXPORT else "",
        switches=measure.switch,
    )


def _period(period: Period, zone: ZoneInfo) -> law_service_pb2.Period:
    return law_service_pb2.Period(
        id=period.id,
        start_time=instant_text(period.start, zone),
        end_time=instant_text(period.end, zone),
        known_from=day_text(period.known_from),
        citations=period.cite,
        confidence=value_of(law_service_pb2.Confidence, period.conf),
        rows=[_row(row) for row in period.rows],
        switches=period.switch,
    )


def _row(row: Row) -> law_service_pb2.MeasureRow:
    return law_service_pb2.MeasureRow(
        goods=describe_goods(row.scope),
        charge=describe_charge(row),
        base=describe_base(row.base),
        conditions=" and ".join(condition.text for condition in row.conditions),
        heading=row.heading,
        known_from=day_text(row.known_from),
    )


def _lists(law: Law, measure: Measure) -> list[law_service_pb2.NamedList]:
    """The lists named by rows of a measure and acts on it, with their number of codes on the as-of day."""
    scopes = [row.scope for period in measure.periods for row in period.rows]
    scopes += [act.scope for act in law.acts[measure.id]]
    named = {name for scope in scopes for names in (*scope.products, scope.not_products) for name in names}
    noon = entry_instant(law, law.as_of, measure.market)
    return [
        law_service_pb2.NamedList(id=name, codes=len(law.lists[name].on(noon, law.as_of)))
        for name in sorted(named & law.lists.keys())
    ]


def _event(act: Act, zone: ZoneInfo) -> law_service_pb2.MeasureEvent:
    change = act.change
    reach = act.label or change.selector.authority
    words = [change.op, f"({reach})" if reach else "", f"from {change.start}" if change.start else ""]
    words += [f"until {change.until}" if change.until else "", f"to {change.to}" if change.to else ""]
    if change.rate is not None:
        words.append(f"rate {change.rate}")
    if change.kept is not None:
        words.append(f"keeping {change.kept}")
    if change.from_beginning:
        words.append("from the beginning")
    return law_service_pb2.MeasureEvent(
        op=change.op,
        start_time=instant_text(act.start, zone),
        end_time=instant_text(act.until, zone),
        known_from=day_text(act.known_from),
        citations=change.cite,
        text=" ".join(word for word in words if word),
        confidence=value_of(law_service_pb2.Confidence, change.conf),
        switches=change.switch,
        goods="" if act.scope.is_any else describe_goods(act.scope),
        conditions=" and ".join(condition.text for condition in act.conditions),
        heading=change.heading,
    )


def _switch(switch: Switch) -> law_service_pb2.Switch:
    return law_service_pb2.Switch(
        id=switch.id,
        default_value=switch.default,
        values=switch.values,
        text=switch.text,
        citations=switch.cite,
        confidence=value_of(law_service_pb2.Confidence, switch.conf),
    )


def _claim(claim: Claim) -> law_service_pb2.ClaimKind:
    return law_service_pb2.ClaimKind(
        id=claim.id, type=claim.type, role=claim.role, text=claim.text, citations=claim.source
    )
