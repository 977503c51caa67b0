"""The port is encrypted, client certificates are required, and renewed files are reloaded."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from tariffs.client import Client, Config, InvalidRequest, Unavailable
from tariffs.client._wire.connection import speaks_tls
from tariffs.engine.errors import InputError
from tariffs.service.server.listener import open_port
from tariffs.service.server.tls import server_credentials
from tariffs.service.settings.settings import Settings
from tests.service.certificates import TestAuthority, server_files
from tests.service.harness import no_warm_up, running
from tests.service.processes import served


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


def unavailable(port: int, config: Config | None = None) -> Unavailable:
    """The error of a client that must not get through."""
    with pytest.raises(Unavailable) as caught:
        assessed(Client(f"127.0.0.1:{port}", config=config))
    return caught.value


def assessed(client: Client) -> str:
    given: dict[str, Any] = {"origin": "CN", "value": 1000, "entry_date": "2025-10-01", "timeout": 30}
    with client:
        return str(client.duty("9503.00.0073", **given).assessed)


def test_who_trusts_the_authority_is_answered_and_the_error_of_others_says_why(
    ca: Path, strange: Path, files: dict[str, Any]
) -> None:
    believing, other = (Config(tls=str(one)) for one in (ca, strange))
    with running(warm=no_warm_up, **files) as encrypting, running(warm=no_warm_up) as plain:
        here = f"127.0.0.1:{encrypting.port}"
        assert assessed(Client(f"localhost:{encrypting.port}", tls=ca))
        assert assessed(Client(f"{here},{here}", config=believing))
        assert assessed(Client(here, config=Config(tls=str(ca), tls_name="localhost")))
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
    given["TARIFFS_PROCESSES"] = "1"
    # The log is read as JSON, line by line.
    with served(tmp_path / "state", stderr=subprocess.STDOUT, **given) as (process, log):
        unavailable(log.until("serving")["port"])
        process.terminate()
        assert log.rest()[-1]["event"] == "stopped"


def test_a_client_without_a_certificate_stays_out_where_one_is_asked_for(
    authority: TestAuthority, ca: Path, files: dict[str, Any], tmp_path: Path
) -> None:
    certificate, key = authority.issue("client").write(tmp_path, "client")
    with running(warm=no_warm_up, tls_client_ca=ca, **files) as server:
        config = Config(tls=str(ca), client_certificate=str(certificate), client_key=str(key))
        assert assessed(Client(f"localhost:{server.port}", config=config))
        unavailable(server.port, Config(tls=str(ca)))


def test_a_renewed_certificate_is_shown_without_a_restart(
    ca: Path, files: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory, successor = tmp_path_factory.mktemp("new"), TestAuthority("successor")
    renewed = written(successor, directory)
    with running(warm=no_warm_up, **files) as server:
        assert assessed(Client(f"localhost:{server.port}", tls=ca))
        certificate, key = server_files(successor, directory).values()
        shutil.copy(key, files["tls_key"])
        with structlog.testing.capture_logs() as logged:
            # The key alone is half of the new pair: the old one stays.
            assert assessed(Client(f"127.0.0.1:{server.port}", tls=ca))
        assert "certificate not read" in {entry["event"] for entry in logged}
        shutil.copy(certificate, files["tls_certificate"])
        os.utime(files["tls_certificate"], ns=(1, 1))
        assert assessed(Client(f"localhost:{server.port}", tls=renewed))


@pytest.mark.parametrize("spoiled", ["tls_certificate", "tls_key", "tls_client_ca"])
def test_a_file_that_is_no_pem_is_told_by_its_variable(
    ca: Path, files: dict[str, Any], tmp_path: Path, spoiled: str
) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("not a certificate\n")
    given = Settings.model_validate({**files, "tls_client_ca": ca, spoiled: bad})
    with pytest.raises(InputError, match=f"TARIFFS_{spoiled.upper()}") as caught:
        server_credentials(given)
    assert caught.value.reason == "SETTING_INVALID"


def test_a_key_of_another_certificate_is_refused(
    authority: TestAuthority, files: dict[str, Any], tmp_path: Path
) -> None:
    _, key = authority.issue("another").write(tmp_path, "another")
    with pytest.raises(InputError) as caught:
        server_credentials(Settings.model_validate({**files, "tls_key": key}))
    assert caught.value.reason == "SETTING_INVALID"


def test_a_file_the_client_cannot_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as caught:
        assessed(Client("localhost:1", tls=tmp_path / "nowhere.pem"))
    assert caught.value.reason == "SETTING_INVALID"


def test_what_is_open_beyond_loopback_is_warned_of(files: dict[str, Any], tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("alice token\n")
    # Opens nothing: a test must not listen beyond loopback.
    port: Any = SimpleNamespace(add_insecure_port=lambda *_: 1, add_secure_port=lambda *_: 1)
    opened: tuple[tuple[dict[str, Any], list[str]], ...] = (
        ({"insecure_listen": True}, ["no authentication"]),
        ({"tokens_file": tokens}, ["tokens not encrypted"]),
        (files, []),
    )
    for given, events in opened:
        with structlog.testing.capture_logs() as logged:
            open_port(port, Settings.model_validate({"host": "0.0.0.0", "port": 0, **given}))
        assert [entry["event"] for entry in logged] == events


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
