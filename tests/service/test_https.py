"""The HTTP port knows whom it speaks to: certificates as those of the gRPC port, and pages by their origin."""

from __future__ import annotations

import http.client
import json
import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tariffs.engine.errors import InputError
from tariffs.service.settings.settings import load_settings
from tests.service.certificates import KINDS, LOCAL, NAMES, Pair, TestAuthority
from tests.service.harness import Running
from tests.service.web_calls import CALCULATE, JSON, QUOTE, call, post, web_server

pytest.importorskip("connectrpc", reason="the extra `web` is not installed")

DESK, OTHER = "https://desk.example.com", "https://other.example.com"


@pytest.fixture(scope="module")
def pages() -> Iterator[Running]:
    with web_server(http_origins=f"{DESK}, http://localhost:8000") as started:
        yield started


def preflight(server: Running, origin: str) -> Any:
    headers = {"origin": origin, "access_control_request_method": "POST"}
    return call(
        server.http_port, "OPTIONS", CALCULATE, b"", **headers, access_control_request_headers="content-type"
    )


def test_pages_of_an_allowed_origin_may_call_and_without_the_setting_none(
    pages: Running, web: Running
) -> None:
    assert preflight(web, DESK).status == 403
    before = preflight(pages, DESK)
    answer = post(pages.http_port, "DutyService/CalculateDuty", QUOTE, origin=DESK)
    assert (before.status, answer.status) == (200, 200)
    assert "authorization" in before.headers["access-control-allow-headers"]
    for found in (before, answer):
        assert found.headers["access-control-allow-origin"] == DESK
    assert "x-request-id" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("origin", [OTHER, "null", "http://localhost", "https://desk.example.com.evil.test"])
def test_pages_of_other_origins_are_refused_before_their_request_is_read(pages: Running, origin: str) -> None:
    before = preflight(pages, origin)
    answer = post(pages.http_port, "DutyService/CalculateDuty", QUOTE, origin=origin)
    read = call(pages.http_port, "GET", f"{CALCULATE}?encoding=json&message=%7B%7D", origin=origin)
    assert before.status == 400
    assert (answer.status, answer.reason) == (read.status, read.reason) == (403, "ORIGIN_REFUSED")
    assert all("access-control-allow-origin" not in found.headers for found in (before, answer, read))


@pytest.mark.parametrize("origins", ["*", "desk.example.com", "https://a.example/path", f"{DESK},x"])
def test_what_is_no_origin_is_an_invalid_setting(origins: str) -> None:
    with pytest.raises(InputError, match="TARIFFS_HTTP_ORIGINS"):
        load_settings(http_origins=origins)


def test_a_call_without_side_effects_is_answered_to_get(pages: Running) -> None:
    message = quote(json.dumps(QUOTE))
    answer = call(pages.http_port, "GET", f"{CALCULATE}?connect=v1&encoding=json&message={message}")
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.json["assessed"] == "3000.00"
    for method in ("TableService/ListTables", "SimulationService/StartRun", "RefundService/CalculateRefunds"):
        answer = call(pages.http_port, "GET", f"/tariffs.v1.{method}?encoding=json&message=%7B%7D")
        assert answer.status == 405


def trusting(authority: TestAuthority, folder: Path, pair: Pair | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority.certificate.decode())
    if pair is not None:
        context.load_cert_chain(*pair.write(folder, "client"))
    return context


def sent(server: Running, context: ssl.SSLContext, method: str, message: Any) -> Any:
    connection = http.client.HTTPSConnection("127.0.0.1", server.http_port, timeout=30, context=context)
    try:
        connection.request("POST", f"/tariffs.v1.{method}", json.dumps(message), {"content-type": JSON})
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def quoted(server: Running, context: ssl.SSLContext) -> bool:
    return bool(sent(server, context, "DutyService/CalculateDuty", QUOTE)["assessed"] == "3000.00")


def kept_out(server: Running, context: ssl.SSLContext) -> bool:
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
        quoted(server, context)
    return True


def test_a_server_is_believed_by_its_authority_and_asks_for_certificates_of_its_own(
    authority: TestAuthority, encrypted: dict[str, Any], tmp_path: Path
) -> None:
    ours, other = authority.issue("ann", *NAMES), TestAuthority("other")
    with web_server(**encrypted) as server:
        assert quoted(server, trusting(authority, tmp_path, ours))
        for pair in (None, other.issue("ann", *NAMES)):
            assert kept_out(server, trusting(authority, tmp_path, pair))
    del encrypted["tls_client_ca"]
    with web_server(**encrypted) as server:
        assert quoted(server, trusting(authority, tmp_path))
        with pytest.raises(ssl.SSLCertVerificationError):
            quoted(server, trusting(other, tmp_path))


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_names_the_caller_as_on_the_other_port(
    authority: TestAuthority, encrypted: dict[str, Any], tmp_path: Path, kind: str
) -> None:
    callers = tmp_path / "callers.yaml"
    callers.write_text(f"callers: {{'{KINDS[kind]}': {{roles: [read]}}}}")
    given = {**encrypted, "tls_names": kind, "callers_file": callers}
    with web_server(**given) as server:
        context = trusting(authority, tmp_path, authority.issue("ann", *NAMES))
        assert quoted(server, context)
        refused = sent(server, context, "TableService/DeleteTable", {"name": "tables/x"})
        stranger = trusting(authority, tmp_path, authority.issue("bob"))
        unknown = sent(server, stranger, "DutyService/CalculateDuty", QUOTE)
    assert refused["details"][0]["debug"]["reason"] == "NOT_ALLOWED"
    assert unknown["details"][0]["debug"]["reason"] in {"NOT_ALLOWED", "TOKEN_INVALID"}


def test_renewed_files_are_used_without_a_restart(
    authority: TestAuthority, encrypted: dict[str, Any], tmp_path: Path
) -> None:
    successor = TestAuthority("successor")
    old, new = authority.issue("ann", *NAMES), successor.issue("ann", *NAMES)
    with web_server(**encrypted) as server:
        assert quoted(server, trusting(authority, tmp_path, old))
        successor.issue("server", *LOCAL).write(tmp_path, "server")
        encrypted["tls_client_ca"].write_bytes(successor.certificate)
        os.utime(encrypted["tls_certificate"], ns=(1, 1))
        assert quoted(server, trusting(successor, tmp_path, new))
        # A certificate of the authority that was replaced is no longer believed.
        assert kept_out(server, trusting(successor, tmp_path, old))
