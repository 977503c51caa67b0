"""The port is encrypted, client certificates are required, and renewed files are reloaded."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys
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
from tests.service.harness import Running, no_warm_up, running
from tests.service.stored import until

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")


class Authority:
    """Makes certificates in a directory."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self.certificate = directory / f"{name}.pem"
        self._key = directory / f"{name}.key"
        _openssl(
            "req",
            "-x509",
            *_KEY,
            "-keyout",
            self._key,
            "-out",
            self.certificate,
            "-subj",
            f"/CN={name}",
            *_DAYS,
        )

    def issue(self, name: str) -> tuple[Path, Path]:
        """Certificate and key for this machine."""
        certificate, key, request = (self._directory / f"{name}.{kind}" for kind in ("pem", "key", "csr"))
        names = self._directory / "names"
        names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        _openssl("req", *_KEY, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        signer = ("-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial")
        _openssl("x509", "-req", "-in", request, *signer, "-out", certificate, "-extfile", names, *_DAYS)
        return certificate, key


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
_DAYS = ("-days", "2")


def _openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=30)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture
def files(authority: Authority, tmp_path: Path) -> dict[str, Any]:
    certificate, key = authority.issue("server")
    found = {"tls_certificate": tmp_path / "c.pem", "tls_key": tmp_path / "k.pem"}
    shutil.copy(certificate, found["tls_certificate"])
    shutil.copy(key, found["tls_key"])
    return found


def test_a_client_in_the_clear_is_told_that_the_server_encrypts(files: dict[str, Any]) -> None:
    with running(warm=no_warm_up, **files) as server:
        error = unavailable(server.port)
    assert "requires TLS" in error.message
    assert "TARIFFS_TLS" in error.fix
    assert "tariffs serve" not in str(error)


def test_a_client_that_encrypts_is_told_that_the_server_does_not(authority: Authority) -> None:
    config = Config(tls=str(authority.certificate))
    with running(warm=no_warm_up) as server:
        error = unavailable(server.port, config)
    assert "does not use TLS" in error.message
    assert "tariffs serve" not in str(error)


def test_a_certificate_that_is_not_believed_is_told_as_that(files: dict[str, Any], tmp_path: Path) -> None:
    config = Config(tls=str(Authority(tmp_path, "other").certificate))
    with running(warm=no_warm_up, **files) as server:
        error = unavailable(server.port, config)
    assert "CERTIFICATE" in error.message
    assert "authority" in error.fix


def test_where_nobody_listens_a_server_is_to_be_started() -> None:
    error = unavailable(1)
    assert "tariffs serve" in error.fix


@pytest.mark.parametrize(
    "place", [("127.0.0.1", 1), ("127.0.0.1", 99_999), ("a..b", 1), ("", 1), ("host.invalid", 1)]
)
def test_a_probe_of_what_is_no_server_answers_nothing(place: tuple[str, int]) -> None:
    assert speaks_tls(*place) is None


def test_a_server_that_encrypts_writes_json_alone_when_a_client_does_not(
    files: dict[str, Any], tmp_path: Path
) -> None:
    environment = {**os.environ, "TARIFFS_STATE_DIR": str(tmp_path / "state"), "TARIFFS_WORKERS": "1"}
    environment |= {f"TARIFFS_{name.upper()}": str(path) for name, path in files.items()}
    environment.pop("GRPC_VERBOSITY", None)
    command = [sys.executable, "-m", "tests.service.light_server", "--port", "0"]
    log = tmp_path / "log"
    with (
        log.open("w") as output,
        subprocess.Popen(command, env=environment, stdout=output, stderr=output) as process,
    ):
        try:
            until(lambda: "serving" in log.read_text())
            port = next(
                line["port"] for line in map(json.loads, log.read_text().splitlines()) if "port" in line
            )
            unavailable(port)
        finally:
            process.terminate()
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert events[-1] == "stopped"


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
    authority: Authority, files: dict[str, Any], tmp_path: Path
) -> None:
    other = Authority(tmp_path, "other").certificate
    with running(warm=no_warm_up, **files) as server:
        here = f"localhost:{server.port}"
        assert assessed(server, Client(here, tls=authority.certificate))
        several = f"127.0.0.1:{server.port},127.0.0.1:{server.port}"
        assert assessed(server, Client(several, tls=authority.certificate))
        named = Config(tls=str(authority.certificate), tls_name="localhost")
        assert assessed(server, Client(f"127.0.0.1:{server.port}", config=named))
        for stranger in (Client(here, tls=other), Client(here, tls=False)):
            with pytest.raises(Unavailable), stranger:
                stranger.duty("9503.00.0073", origin="CN", value=1000, timeout=30)


def test_a_client_without_a_certificate_stays_out_where_one_is_asked_for(
    authority: Authority, files: dict[str, Any]
) -> None:
    certificate, key = authority.issue("client")
    with running(warm=no_warm_up, tls_client_ca=authority.certificate, **files) as server:
        here = f"localhost:{server.port}"
        config = Config(client_certificate=str(certificate), client_key=str(key))
        assert assessed(server, Client(here, tls=authority.certificate, config=config))
        with pytest.raises(Unavailable), Client(here, tls=authority.certificate) as bare:
            bare.duty("9503.00.0073", origin="CN", value=1000, timeout=30)


def test_a_renewed_certificate_is_shown_without_a_restart(
    authority: Authority, files: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "new").mkdir()
    successor = Authority(tmp_path / "new", "successor")
    with running(warm=no_warm_up, **files) as server:
        assert assessed(server, Client(f"localhost:{server.port}", tls=authority.certificate))
        certificate, key = successor.issue("server")
        shutil.copy(key, files["tls_key"])
        with structlog.testing.capture_logs() as logged:
            # The key alone is half of the new pair: the old one stays.
            assert assessed(server, Client(f"127.0.0.1:{server.port}", tls=authority.certificate))
        assert "certificate not read" in {entry["event"] for entry in logged}
        shutil.copy(certificate, files["tls_certificate"])
        os.utime(files["tls_certificate"], ns=(1, 1))
        assert assessed(server, Client(f"localhost:{server.port}", tls=successor.certificate))


@pytest.mark.parametrize("spoiled", ["tls_certificate", "tls_key", "tls_client_ca"])
def test_a_file_that_is_no_pem_is_told_by_its_variable(
    authority: Authority, files: dict[str, Any], tmp_path: Path, spoiled: str
) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("not a certificate\n")
    given = {**files, "tls_client_ca": authority.certificate, spoiled: bad}
    with pytest.raises(InputError) as caught:
        server_credentials(Settings.model_validate(given))
    assert caught.value.reason == "SETTING_INVALID"
    assert f"TARIFFS_{spoiled.upper()}" in caught.value.message


def test_a_key_of_another_certificate_is_refused(authority: Authority, files: dict[str, Any]) -> None:
    _, key = authority.issue("another")
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
    root: Path, authority: Authority, files: dict[str, Any], mutual: bool
) -> None:
    serving = runpy.run_path(str(root / "deploy" / "healthcheck.py"))["serving"]
    given = {**files, "tls_client_ca": authority.certificate} if mutual else files
    environment = {f"TARIFFS_{name.upper()}": str(path) for name, path in given.items()}
    with running(warm=no_warm_up, **given) as server:
        assert serving(f"localhost:{server.port}", environment=environment)
        assert not serving(f"localhost:{server.port}", seconds=1.0, environment={})
