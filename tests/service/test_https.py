"""The HTTP port is encrypted with the files of the gRPC port, and knows callers by the same certificates."""

from __future__ import annotations

import http.client
import json
import os
import ssl
from pathlib import Path
from typing import Any

import pytest

from tests.service.certificates import LOCAL, Pair, TestAuthority, server_files
from tests.service.harness import Running, no_warm_up, running
from tests.service.test_http_port import QUOTE, port_of
from tests.service.test_identities import KINDS, NAMES

pytest.importorskip("connectrpc", reason="the extra `web` is not installed")


@pytest.fixture(scope="module")
def authority() -> TestAuthority:
    return TestAuthority("authority")


@pytest.fixture
def encrypted(authority: TestAuthority, tmp_path: Path) -> dict[str, Any]:
    return server_files(authority, tmp_path)


def trusting(authority: TestAuthority, folder: Path, pair: Pair | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority.certificate.decode())
    if pair is not None:
        context.load_cert_chain(*pair.write(folder, "client"))
    return context


def post(server: Running, context: ssl.SSLContext, method: str, message: Any) -> Any:
    connection = http.client.HTTPSConnection("127.0.0.1", port_of(server), timeout=30, context=context)
    try:
        headers = {"content-type": "application/json"}
        connection.request("POST", f"/tariffs.v1.{method}", json.dumps(message), headers)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def quoted(server: Running, context: ssl.SSLContext) -> str:
    return str(post(server, context, "DutyService/CalculateDuty", QUOTE)["assessed"])


def test_who_trusts_the_authority_is_answered_and_who_does_not_is_not(
    authority: TestAuthority, encrypted: dict[str, Any], tmp_path: Path
) -> None:
    with running(warm=no_warm_up, http_port=0, **encrypted) as server:
        assert quoted(server, trusting(authority, tmp_path)) == "3000.00"
        with pytest.raises(ssl.SSLCertVerificationError):
            quoted(server, trusting(TestAuthority("other"), tmp_path))


def test_a_client_without_a_certificate_stays_out_where_one_is_asked_for(
    authority: TestAuthority, encrypted: dict[str, Any], tmp_path: Path
) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority.certificate)
    with running(warm=no_warm_up, http_port=0, tls_client_ca=ca, **encrypted) as server:
        assert quoted(server, trusting(authority, tmp_path, authority.issue("ann", *NAMES))) == "3000.00"
        for pair in (None, TestAuthority("other").issue("ann", *NAMES)):
            with pytest.raises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
                quoted(server, trusting(authority, tmp_path, pair))


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_names_the_caller_as_on_the_other_port(
    authority: TestAuthority, encrypted: dict[str, Any], tmp_path: Path, kind: str
) -> None:
    ca, callers = tmp_path / "ca.pem", tmp_path / "callers.yaml"
    ca.write_bytes(authority.certificate)
    callers.write_text(f"callers:\n  {KINDS[kind]}:\n    roles: [read]\n", encoding="utf-8")
    given = {**encrypted, "tls_client_ca": ca, "tls_names": kind, "callers_file": callers}
    with running(warm=no_warm_up, http_port=0, **given) as server:
        context = trusting(authority, tmp_path, authority.issue("ann", *NAMES))
        assert quoted(server, context) == "3000.00"
        refused = post(server, context, "TableService/DeleteTable", {"name": "tables/x"})
        stranger = trusting(authority, tmp_path, authority.issue("bob"))
        unknown = post(server, stranger, "DutyService/CalculateDuty", QUOTE)
    assert refused["details"][0]["debug"]["reason"] == "NOT_ALLOWED"
    assert unknown["details"][0]["debug"]["reason"] in {"NOT_ALLOWED", "TOKEN_INVALID"}


def test_renewed_files_are_used_without_a_restart(
    authority: TestAuthority, encrypted: dict[str, Any], tmp_path: Path
) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority.certificate)
    successor = TestAuthority("successor")
    old, new = authority.issue("ann", *NAMES), successor.issue("ann", *NAMES)
    with running(warm=no_warm_up, http_port=0, tls_client_ca=ca, **encrypted) as server:
        assert quoted(server, trusting(authority, tmp_path, old)) == "3000.00"
        successor.issue("server", *LOCAL).write(tmp_path, "server")
        ca.write_bytes(successor.certificate)
        os.utime(encrypted["tls_certificate"], ns=(1, 1))
        assert quoted(server, trusting(successor, tmp_path, new)) == "3000.00"
        # A certificate of the authority that was replaced is no longer believed.
        with pytest.raises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
            quoted(server, trusting(successor, tmp_path, old))
