"""DutyService.CompareCodes: duty on goods of several codes from one origin, as ranges."""

from __future__ import annotations

from tariffs.engine.line_duty.entry_dates import known_on_text
from tariffs.engine.schedule.country_names import read_country
from tariffs.firm.codes import CodeDuty, code_duties
from tariffs.service.rpc.checks import few, required, word
from tariffs.service.rpc.importer_requests import base_law
from tariffs.service.rpc.messages import message_of
from tariffs.service.rpc.shared import law_asked, law_provenance
from tariffs.service.wire.status import Cancelled, check_cancelled, failure_of, request_invalid
from tariffs.v1 import duty_service_pb2 as pb

_CODES_LIMIT = 20


def compare(request: pb.CompareCodesRequest, cancelled: Cancelled) -> pb.CompareCodesResponse:
    """Compute the duty on goods of each code.

    Raises:
        TariffsError: no or too many codes, an invalid origin, day, scenario or switch; or no code can be rated.
    """
    if not request.codes:
        raise request_invalid("No code was given.", "codes", "Give HTS codes of 4 to 10 digits.")
    few(request.codes, "codes", _CODES_LIMIT)
    fix = "Use the ISO 3166-1 alpha-2 code of a country."
    origin, _ = read_country(required(request.origin, "origin", fix))
    base, known_on = base_law(request)
    scenario, law = law_asked(request)
    codes = [word(code, "codes") for code in request.codes]
    entry = word(request.entry, "entry") or None
    found = code_duties(law, codes, origin, entry, known_on=known_on, cancelled=cancelled)
    check_cancelled(cancelled)
    on = request.entry or str(base.as_of)
    known = known_on_text(base, known_on)
    facts = law_provenance(base, request, [scenario], known_on=known, on=on)
    return pb.CompareCodesResponse(codes=map(_message, found), provenance=facts)


def _message(one: CodeDuty) -> pb.CodeDuty:
    low, high = (None if rate is None else f"{rate.normalize():f}" for rate in (one.low, one.high))
    failure = one.problem and failure_of(one.problem)
    return message_of(pb.CodeDuty, one, missing_claims=one.facts, low=low, high=high, failure=failure)
