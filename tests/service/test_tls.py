"""The port is encrypted, client certificates are required, and renewed files are reloaded."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import grpc
import pytest
import structlog

from tariffs.client import Client, Config, InvalidRequest, Unavailable
from tariffs.client._wire.connection import speaks_tls
from tariffs.engine.errors import InputError
from tariffs.service.server.listener import open_port
from tariffs.service.server.tls import server_credentials
from tariffs.service.settings.settings import Settings
from tests.service.certificates import TestAuthority, server_files
from tests.service.harness import Running, no_warm_up, running
from tests.service.processes import served


@pytest.fixture
def authority() -> TestAuthority:
    return TestAuthority("authority")


@pytest.fixture
def ca(authority: TestAuthority, tmp_path: Path) -> Path:
    return written(authority, tmp_path)


@pytest.fixture
def files(authority: TestAuthority, tmp_path: Path) -> dict[str, Any]:
    return server_files(authority, tmp_path)


def written(authority: TestAuthority, directory: Path) -> Path:
    path = directory / "ca.pem"
    path.write_bytes(authority.certificate)
    return path


@pytest.fixture
def strange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of an authority that nobody here has."""
    return written(TestAuthority("other"), tmp_path_factory.mktemp("other"))


def test_where_no_call_gets_through_the_error_says_why(
    ca: Path, strange: Path, files: dict[str, Any]
) -> None:
    believing, other = (Config(tls=str(one)) for one in (ca, strange))
    with running(warm=no_warm_up, **files) as encrypting, running(warm=no_warm_up) as plain:
        for port, config, message, fix in (
            (encrypting.port, None, "requires TLS", "TARIFFS_TLS"),
            (encrypting.port, other, "CERTIFICATE", "authority"),
            (plain.port, believing, "does not use TLS", ""),
            (1, None, "", "tariffs serve"),
        ):
            error = unavailable(port, config)
            assert message in error.message
            assert fix in error.fix
            assert ("tariffs serve" in str(error)) == (port == 1)


@pytest.mark.parametrize(
    "place", [("127.0.0.1", 1), ("127.0.0.1", 99_999), ("a..b", 1), ("", 1), ("host.invalid", 1)]
)
def test_a_probe_of_what_is_no_server_answers_nothing(place: tuple[str, int]) -> None:
    assert speaks_tls(*place) is None


def test_a_server_that_encrypts_writes_json_alone_when_a_client_does_not(
    files: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRPC_VERBOSITY", raising=False)
    given = {f"TARIFFS_{name.upper()}": str(path) for name, path in files.items()}
    # The log is read as JSON, line by line.
    with served(tmp_path / "state", stderr=subprocess.STDOUT, TARIFFS_PROCESSES="1", **given) as (
        process,
        log,
    ):
        unavailable(log.until("serving")["port"])
        process.terminate()
        assert log.rest()[-1]["event"] == "stopped"


def unavailable(port: int, config: Config | None = None) -> Unavailable:
    """The error of a client that must not get through."""
    with Client(f"127.0.0.1:{port}", config=config) as client, pytest.raises(Unavailable) as caught:
        client.duty("9503.00.0073", origin="CN", entry_date="2025-05-14", value=10)
    return caught.value


def assessed(server: Running, client: Client) -> str:
    with client:
        return str(
            client.duty("9503.00.0073", origin="CN", value=1000, entry_date="2025-10-01", timeout=20).assessed
        )


def test_who_trusts_the_authority_is_answered_and_who_does_not_is_not(
    ca: Path, strange: Path, files: dict[str, Any]
) -> None:
    with running(warm=no_warm_up, **files) as server:
        here = f"localhost:{server.port}"
        assert assessed(server, Client(here, tls=ca))
        several = f"127.0.0.1:{server.port},127.0.0.1:{server.port}"
        assert assessed(server, Client(several, tls=ca))
        named = Config(tls=str(ca), tls_name="localhost")
        assert assessed(server, Client(f"127.0.0.1:{server.port}", config=named))
        for stranger in (Client(here, tls=strange), Client(here, tls=False)):
            with pytest.raises(Unavailable), stranger:
                stranger.duty("9503.00.0073", origin="CN", value=1000, timeout=30)


def test_a_client_without_a_certificate_stays_out_where_one_is_asked_for(
    authority: TestAuthority, ca: Path, files: dict[str, Any], tmp_path: Path
) -> None:
    certificate, key = authority.issue("client").write(tmp_path, "client")
    with running(warm=no_warm_up, tls_client_ca=ca, **files) as server:
        here = f"localhost:{server.port}"
        config = Config(client_certificate=str(certificate), client_key=str(key))
        assert assessed(server, Client(here, tls=ca, config=config))
        with pytest.raises(Unavailable), Client(here, tls=ca) as bare:
            bare.duty("9503.00.0073", origin="CN", value=1000, timeout=30)


def test_a_renewed_certificate_is_shown_without_a_restart(
    ca: Path, files: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory, successor = tmp_path_factory.mktemp("new"), TestAuthority("successor")
    renewed = written(successor, directory)
    with running(warm=no_warm_up, **files) as server:
        assert assessed(server, Client(f"localhost:{server.port}", tls=ca))
        certificate, key = server_files(successor, directory).values()
        shutil.copy(key, files["tls_key"])
        with structlog.testing.capture_logs() as logged:
            # The key alone is half of the new pair: the old one stays.
            assert assessed(server, Client(f"127.0.0.1:{server.port}", tls=ca))
        assert "certificate not read" in {entry["event"] for entry in logged}
        shutil.copy(certificate, files["tls_certificate"])
        os.utime(files["tls_certificate"], ns=(1, 1))
        assert assessed(server, Client(f"localhost:{server.port}", tls=renewed))


@pytest.mark.parametrize("spoiled", ["tls_certificate", "tls_key", "tls_client_ca"])
def test_a_file_that_is_no_pem_is_told_by_its_variable(
    ca: Path, files: dict[str, Any], tmp_path: Path, spoiled: str
) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("not a certificate\n")
    given = {**files, "tls_client_ca": ca, spoiled: bad}
    with pytest.raises(InputError) as caught:
        server_credentials(Settings.model_validate(given))
    assert caught.value.reason == "SETTING_INVALID"
    assert f"TARIFFS_{spoiled.upper()}" in caught.value.message


def test_a_key_of_another_certificate_is_refused(
    authority: TestAuthority, files: dict[str, Any], tmp_path: Path
) -> None:
    _, key = authority.issue("another").write(tmp_path, "another")
    with pytest.raises(InputError):
        server_credentials(Settings.model_validate({**files, "tls_key": key}))


def test_a_file_the_client_cannot_read_is_told(tmp_path: Path) -> None:
    with (
        Client("localhost:1", tls=tmp_path / "nowhere.pem") as client,
        pytest.raises(InvalidRequest) as caught,
    ):
        client.duty("9503.00.0073", origin="CN", value=1000)
    assert caught.value.reason == "SETTING_INVALID"


@pytest.mark.parametrize(
    ("given", "event"),
    [
        ({"insecure_listen": True}, "no authentication"),
        ({"tokens_file": "tokens"}, "tokens not encrypted"),
        ({"tls": True}, None),
    ],
)
def test_what_is_open_beyond_loopback_is_warned_of(
    files: dict[str, Any], tmp_path: Path, given: dict[str, object], event: str | None
) -> None:
    values: dict[str, object] = {"host": "0.0.0.0", "port": 0, **given}
    if values.pop("tls", False):
        values |= files
    if "tokens_file" in values:
        (tmp_path / "tokens").write_text("alice token\n")
        values["tokens_file"] = tmp_path / "tokens"

    class Port:
        """Opens nothing: a test must not listen beyond loopback."""

        def add_insecure_port(self, address: str) -> int:
            return 1

        def add_secure_port(self, address: str, credentials: grpc.ServerCredentials) -> int:
            return 1

    with structlog.testing.capture_logs() as logged:
        open_port(Port(), Settings.model_validate(values))  # type: ignore[arg-type] # what it asks of a server
    assert [entry["event"] for entry in logged] == ([event] if event else [])


@pytest.mark.parametrize("mutual", [False, True])
def test_the_health_check_of_the_container_trusts_the_servers_own_certificate(
    root: Path, ca: Path, files: dict[str, Any], mutual: bool
) -> None:
    serving = runpy.run_path(str(root / "deploy" / "healthcheck.py"))["serving"]
    given = {**files, "tls_client_ca": ca} if mutual else files
    environment = {f"TARIFFS_{name.upper()}": str(path) for name, path in given.items()}
    with running(warm=no_warm_up, **given) as server:
        assert serving(f"localhost:{server.port}", environment=environment)
        assert not serving(f"localhost:{server.port}", seconds=1.0, environment={})
