"""LawService: describe the law in use, its measures and versions, the server and the caller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from tariffs.engine.base.provenance import engine_version
from tariffs.engine.base.spelling import nearest
from tariffs.engine.errors import InputError, LawError, TariffsError
from tariffs.engine.law import Law, Measure, Period
from tariffs.engine.law.amendments import Act
from tariffs.engine.law.conditions import MODE
from tariffs.engine.law.describe_rows import describe_base, describe_charge, describe_goods
from tariffs.engine.law.law import EXPORT, IMPORT
from tariffs.engine.law.model import Row, Scope
from tariffs.engine.law.values import digits
from tariffs.engine.line_duty.entry_dates import entry_instant
from tariffs.service.rpc.checks import required, word
from tariffs.service.rpc.laws import LAWS, ServedLaw
from tariffs.service.rpc.messages import message_of, time_text
from tariffs.service.rpc.shared import instant_text, law_provenance
from tariffs.service.wire.identity import ROLES, Caller
from tariffs.v1 import contract
from tariffs.v1 import law_service_pb2 as pb

_PAGE, _LARGEST_PAGE = 100, 1000


def get_law(request: pb.GetLawRequest) -> pb.Law:
    """Return the version of the law, its switches and claims."""
    law = LAWS.named(request.law_version)
    first, last = law.coverage
    return message_of(
        pb.Law,
        law,
        coverage_start_time=instant_text(first, law.zones[IMPORT]),
        coverage_end_time=instant_text(last, law.zones[IMPORT]),
        switches=[
            message_of(pb.Switch, switch, default_value=switch.default)
            for _, switch in sorted(law.switches.items())
        ],
        claims=[
            message_of(pb.ClaimKind, claim, citations=claim.source)
            for name, claim in sorted(law.claims.items())
            if name != MODE
        ],
        provenance=law_provenance(law, request),
    )


def list_measures(request: pb.ListMeasuresRequest) -> pb.ListMeasuresResponse:
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
    return pb.ListMeasuresResponse(
        measures=[_measure(measure) for measure in measures], provenance=law_provenance(law, request)
    )


def get_measure(request: pb.GetMeasureRequest) -> pb.Measure:
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
    """Find a measure by its id or the label of a period.

    Raises:
        LawError: MEASURE_NOT_FOUND, with the nearest ids, or MEASURE_RETIRED.
    """
    if name in law.measures:
        return law.measures[name]
    for measure in law.measures.values():
        if name in measure.labels:
            return measure
    if name in law.retired:
        raise LawError(
            "MEASURE_RETIRED", f"{name!r} is retired.", field="id", fix=f"Use {law.retired[name]}."
        )
    near = nearest(name, law.bound.index.labels, similarity=0.6)
    raise LawError(
        "MEASURE_NOT_FOUND",
        f"The law has no measure {name!r}.",
        field="id",
        fix=f"Nearest: {', '.join(near)}." if near else "`tariffs law measures` lists all ids.",
        metadata={"nearest": ", ".join(near)},
    )


def _measure(measure: Measure) -> pb.Measure:
    destination = measure.market if measure.direction == EXPORT else ""
    return message_of(pb.Measure, measure, destination=destination, periods=())


def _period(period: Period, zone: ZoneInfo) -> pb.Period:
    return message_of(
        pb.Period,
        period,
        start_time=instant_text(period.start, zone),
        end_time=instant_text(period.end, zone),
        rows=[_row(row) for row in period.rows],
    )


def _row(row: Row) -> pb.MeasureRow:
    return message_of(
        pb.MeasureRow,
        row,
        goods=describe_goods(row.scope),
        charge=describe_charge(row),
        base=describe_base(row.base),
        conditions=" and ".join(condition.text for condition in row.conditions),
    )


def _scopes_of(law: Law, measure: Measure) -> list[Scope]:
    """List the scopes of the rows of a measure, and of the acts on it."""
    scopes = [row.scope for period in measure.periods for row in period.rows]
    return scopes + [act.scope for act in law.acts[measure.id]]


def _lists(law: Law, measure: Measure) -> list[pb.NamedList]:
    """The lists named by rows of a measure and acts on it, with their number of codes on the as-of day."""
    named = {
        name
        for scope in _scopes_of(law, measure)
        for names in (*scope.products, scope.not_products)
        for name in names
    }
    noon = entry_instant(law, law.as_of, measure.market)
    return [
        pb.NamedList(id=name, codes=len(law.lists[name].on(noon, law.as_of)))
        for name in sorted(named & law.lists.keys())
    ]


def _event(act: Act, zone: ZoneInfo) -> pb.MeasureEvent:
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
    return message_of(
        pb.MeasureEvent,
        change,
        start_time=instant_text(act.start, zone),
        end_time=instant_text(act.until, zone),
        known_from=act.known_from and act.known_from.isoformat(),
        text=" ".join(word for word in words if word),
        goods="" if act.scope.is_any else describe_goods(act.scope),
        conditions=" and ".join(condition.text for condition in act.conditions),
    )


def list_codes(request: pb.ListCodesRequest) -> pb.ListCodesResponse:
    """List the codes of a measure by page: of one list, or those that hold or are part of a code.

    Raises:
        LawError: MEASURE_NOT_FOUND, or MEASURE_RETIRED.
        InputError: the code or the page cannot be used.
    """
    law = LAWS.named(request.law_version)
    measure = _find_measure(law, required(request.id, "id", "Use the id of a measure."))
    hts, named = digits(word(request.hts, "hts")), word(request.list, "list")
    if hts and not hts.isdigit():
        raise InputError(
            "HTS_CODE_MALFORMED", f"{request.hts!r} is no code.", field="hts", fix="Give 2 to 10 digits."
        )
    found = [
        (name, code, is_left_out)
        for name, code, is_left_out in sorted({*_codes(law, measure)})
        if named in {"", name} and (code.startswith(hts) or hts.startswith(code))
    ]
    first, size = _page(request)
    end = first + size
    return pb.ListCodesResponse(
        codes=[
            pb.MeasureCode(code=code, list=name, is_left_out=is_left_out)
            for name, code, is_left_out in found[first:end]
        ],
        total_size=len(found),
        next_page_token=str(end) if end < len(found) else "",
        provenance=law_provenance(law, request),
    )


def _codes(law: Law, measure: Measure) -> Iterator[tuple[str, str, bool]]:
    """Yield list, code and whether it is left out, for each name of goods in rows and acts."""
    noon = entry_instant(law, law.as_of, measure.market)
    for scope in _scopes_of(law, measure):
        for names, is_left_out in (*((one, False) for one in scope.products), (scope.not_products, True)):
            for name in names:
                if name in law.lists:
                    yield from ((name, code, is_left_out) for code in law.lists[name].on(noon, law.as_of))
                else:
                    yield "", name, is_left_out


def _page(request: pb.ListCodesRequest) -> tuple[int, int]:
    """Read the first place and the size of a page."""
    token, size = request.page_token or "0", request.page_size
    if size < 0:
        raise InputError("REQUEST_INVALID", f"page_size is {size}.", field="page_size", fix="Use 0 to 1,000.")
    if not (token.isascii() and token.isdigit() and len(token) < 10):
        fix = "Use the next_page_token of the page before."
        raise InputError("REQUEST_INVALID", "The page is not known.", field="page_token", fix=fix)
    return int(token), min(size or _PAGE, _LARGEST_PAGE)


@dataclass(frozen=True, slots=True)
class UnservedPack:
    """Law pack that is being checked, or was refused.

    Attributes:
        pack: the name of its file.
        error: why it was refused; None while it is checked.
        since: when it was found or refused, seconds since 1970.
    """

    pack: str
    error: TariffsError | None
    since: float


def list_versions(request: pb.ListVersionsRequest) -> pb.ListVersionsResponse:
    """List the laws of this process."""
    return versions_beside(())


def versions_beside(unserved: Sequence[UnservedPack]) -> pb.ListVersionsResponse:
    """List the laws of this process, then packs that are not served."""
    served, default = LAWS.served, LAWS.settle("")
    return pb.ListVersionsResponse(
        versions=[
            *(_served_version(one, is_default=one is default, is_latest=one is served[0]) for one in served),
            *map(_unserved_version, unserved),
        ]
    )


def _served_version(one: ServedLaw, *, is_default: bool, is_latest: bool) -> pb.LawVersion:
    since, state = time_text(one.since or None), pb.LAW_STATE_SERVED
    return message_of(
        pb.LawVersion, one, state=state, state_time=since, is_default=is_default, is_latest=is_latest
    )


def _unserved_version(one: UnservedPack) -> pb.LawVersion:
    state = pb.LAW_STATE_LOADING if one.error is None else pb.LAW_STATE_REFUSED
    return message_of(pb.LawVersion, one.error, pack=one.pack, state=state, state_time=time_text(one.since))


def get_server_info(request: pb.GetServerInfoRequest) -> pb.ServerInfo:
    """Return the version of the program and of the law, the methods, and the fields of requests."""
    return pb.ServerInfo(
        version=engine_version(),
        law_version=LAWS.default.version,
        methods=sorted(contract.methods()),
        request_fields=sorted(contract.request_fields()),
    )


def caller_message(who: Caller, quotas: Sequence[pb.CallerQuota] = ()) -> pb.CallerInfo:
    """Convert a caller to a message, with every role that it has or that one of its roles includes."""
    return pb.CallerInfo(
        name=who.owner,
        roles=[role for role in ROLES if who.has_role(role)],
        groups=sorted(who.groups),
        quotas=quotas,
    )


def get_local_caller(request: pb.GetCallerRequest) -> pb.CallerInfo:
    """Return the caller without a server: it may do everything."""
    return caller_message(Caller())
