"""List the codes that a measure names, themselves or by lists."""

from __future__ import annotations

from collections.abc import Iterator

from tariffs.engine.errors import InputError
from tariffs.engine.law import Law, Measure
from tariffs.engine.law.values import digits
from tariffs.engine.line_duty.entry_dates import entry_instant
from tariffs.service.rpc.checks import required, word
from tariffs.service.rpc.law import find_measure, scopes_of
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.shared import law_provenance
from tariffs.v1 import law_service_pb2 as pb

_PAGE, _LARGEST_PAGE = 100, 1000


def list_codes(request: pb.ListCodesRequest) -> pb.ListCodesResponse:
    """List the codes of a measure by page: of one list, or those that hold or are part of a code.

    Raises:
        LawError: MEASURE_NOT_FOUND, or MEASURE_RETIRED.
        InputError: the code or the page cannot be used.
    """
    law = LAWS.named(request.law_version)
    measure = find_measure(law, required(request.id, "id", "Use the id of a measure."))
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
    for scope in scopes_of(law, measure):
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
