"""Read requests and make responses of the pages: forms with their proof, ETags, and the status of an error."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tariffs.client.desk.access import LOOPBACK, SignIn
from tariffs.client.errors import NotFound, PermissionDenied, ResourceExhausted, TariffsError

_STATUSES = {
    "INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "OUT_OF_RANGE": 400, "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403, "NOT_FOUND": 404, "ALREADY_EXISTS": 409, "ABORTED": 409, "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503, "DEADLINE_EXCEEDED": 504,
}  # fmt: skip
KEEP = {"cache-control": "private, no-cache"}
_BODY_LIMIT, _FILE_LIMIT = 4 << 20, 256 << 20


async def read_form(request: Request, sign_in: SignIn) -> dict[str, str]:
    """Read the form of a request.

    Raises:
        PermissionDenied: it does not come from a page of this sign-in.
    """
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > _BODY_LIMIT:
            raise not_ours("The form is too large.")
    fields = dict(parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=200))
    if not sign_in.is_proof(fields.get("proof", "")):
        raise not_ours("The form is not one of a page that was shown to you, or your sign-in has ended.")
    return fields


async def receive_file(request: Request, path: Path) -> None:
    """Write the body of a request to a file, block by block.

    Raises:
        ResourceExhausted: it is too large.
    """
    size = 0
    with path.open("wb") as file:
        async for block in request.stream():
            size += len(block)
            if size > _FILE_LIMIT:
                raise ResourceExhausted(
                    "ROW_QUOTA",
                    f"The file has more than {_FILE_LIMIT >> 20} MiB.",
                    code="RESOURCE_EXHAUSTED",
                    fix="Send it as Parquet, or by the command line.",
                )
            await asyncio.to_thread(file.write, block)


def with_etag(request: Request, page: bytes, status: int) -> Response:
    """Send a page, or say that it is as it was."""
    etag = f'"{hashlib.sha256(page).hexdigest()[:32]}"'
    if status == 200 and request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={**KEEP, "etag": etag})
    return Response(page, status, headers={**KEEP, "etag": etag}, media_type="text/html")


def status_of(error: TariffsError) -> int:
    """Return the status of HTTP for an error."""
    return _STATUSES.get(error.code, 500)


def error_json(error: TariffsError) -> Response:
    """Send an error as JSON, with every fault by field."""
    faults = [{"field": one.field, "message": one.description} for one in error.violations]
    plain = {"error": {**error.to_json_dict(), "faults": faults}}
    return JSONResponse(plain, status_of(error), headers=KEEP)


def wants_json(request: Request) -> bool:
    """Test whether a request is for JSON."""
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def is_secure(request: Request) -> bool:
    """Test whether cookies must be encrypted on their way; behind a proxy that encrypts the scheme does not say so."""
    return request.url.scheme == "https" or request.url.hostname not in LOOPBACK


def not_ours(message: str) -> PermissionDenied:
    """Make the error for a form of another site."""
    fix = "Open the page again, and send its form from there."
    return PermissionDenied("NOT_ALLOWED", message, code="PERMISSION_DENIED", fix=fix)


def not_there(message: str) -> NotFound:
    """Make the error for an address without a page."""
    return NotFound("REQUEST_INVALID", message, code="NOT_FOUND")
