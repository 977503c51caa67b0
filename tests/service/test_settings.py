"""Settings are checked at the start, and shown with their sources."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tariffs.engine.errors import InputError
from tariffs.service.server import serving
from tariffs.service.settings.settings import GROUPS, Settings, load_settings
from tariffs.service.settings.settings_table import BEGIN, END, effective, replaced, table, texts_of


@pytest.fixture(autouse=True)
def _no_settings_of_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TARIFFS_{name.upper()}", raising=False)


def refused() -> str:
    with pytest.raises(InputError) as caught:
        load_settings()
    assert caught.value.reason == "SETTING_INVALID"
    assert caught.value.exit_code == 2
    return caught.value.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TARIFFS_PORT", "70000"),
        ("TARIFFS_PORT", "many"),
        ("TARIFFS_WORKERS", "0"),
        ("TARIFFS_CONCURRENT_CALLS", "0"),
        ("TARIFFS_LEASE_SECONDS", "-1"),
        ("TARIFFS_LOG_LEVEL", "loud"),
        ("TARIFFS_LOG_FORMAT", "xml"),
        ("TARIFFS_TOKENS_FILE", "/nowhere/tokens"),
        ("TARIFFS_TLS_CERTIFICATE", "/nowhere/certificate"),
        ("TARIFFS_INSECURE_LISTEN", "perhaps"),
        ("TARIFFS_SECRETS_DIR", "/nowhere/secrets"),
        ("TARIFFS_DATABASE_URL", "mysql://u:hunter2@h/db"),
        ("TARIFFS_DATABASE_URL", "hunter2"),
    ],
)
def test_a_wrong_value_is_told_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    message = refused()
    assert name in message
    assert (value in message) == ("hunter2" not in value)
    assert "hunter2" not in message


def test_every_fault_is_told_at_once_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TARIFFS_PORT", "TARIFFS_CONCURRENT_CALLS"):
        monkeypatch.setenv(name, "-1")
    assert refused().count("TARIFFS_") == 2


@pytest.mark.parametrize("present", ["tls_certificate", "tls_key", "tls_client_ca"])
def test_parts_of_encryption_need_each_other(present: str) -> None:
    with pytest.raises(InputError, match="TARIFFS_TLS_CERTIFICATE"):
        load_settings(**{present: Path(__file__)})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "example.org", "localhost.example.org"])
def test_beyond_loopback_needs_a_guard_or_a_word(host: str) -> None:
    with pytest.raises(InputError, match="TARIFFS_INSECURE_LISTEN"):
        load_settings(host=host)
    assert load_settings(host=host, insecure_listen=True).host == host
    assert load_settings(host=host, tokens_file=Path(__file__)).guarded


@pytest.mark.parametrize("address", ["127.0.0.1:7", "127.9.9.9:7", "[::1]:7", "localhost:7"])
def test_loopback_needs_nothing(address: str) -> None:
    assert load_settings(host=address[:-2].strip("[]"), port=7).address == address


def test_arguments_stand_above_the_environment_and_empty_variables_are_unset(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TARIFFS_PORT", "1234")
    monkeypatch.setenv("TARIFFS_WORKERS", "")
    assert load_settings(port=None).port == 1234
    assert load_settings(port="0").port == 0
    assert load_settings().workers >= 1
    assert load_settings(state_dir=tmp_path).database == f"sqlite:///{tmp_path}/tariffs.sqlite"


def test_a_share_of_the_places_is_one_callers() -> None:
    settings = load_settings()
    assert [settings.share_of(places) for places in (1, 8, 100, 256)] == [1, 6, 75, 192]
    assert load_settings(caller_share=1).share_of(256) == 256


def test_what_holds_is_told_with_its_source_and_without_secrets() -> None:
    environment = {"TARIFFS_WORKERS": "3", "TARIFFS_PROT": "1", "TARIFFS_TOKEN": "t", "HOME": "x"}
    environment |= {"OTEL_SERVICE_NAME": "duty", "OTEL_EXPORTER_OTLP_HEADERS": "key=s3cret"}
    url = "postgresql+psycopg://user:p%40ss/w@ord@host/db?password=hunter2"
    settings = load_settings(port=7, workers=3, database_url=url)
    told = list(effective(settings, {"port": "7", "host": None}, environment))
    assert "TARIFFS_PORT = 7  (argument --port)" in told
    assert "TARIFFS_WORKERS = 3  (environment)" in told
    assert "TARIFFS_HOST = 127.0.0.1  (default)" in told
    assert [line for line in told if "not a setting" in line] == ["TARIFFS_PROT is set but is not a setting"]
    text = "\n".join(told)
    assert "OTEL_SERVICE_NAME = duty  (environment)" in told
    assert "s3cret" not in text
    assert "postgresql+psycopg://***" in text
    assert all(secret not in text for secret in ("p%40ss", "ord@", "hunter2", "user:"))
    assert "p%40ss" not in repr(settings)


def test_a_secret_is_read_from_its_file_and_a_variable_takes_precedence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = "postgresql+psycopg://u:hunter2@h/db"
    (tmp_path / "tariffs_database_url").write_text(url + "\n")
    (tmp_path / "other").write_text("x")
    monkeypatch.setenv("TARIFFS_SECRETS_DIR", str(tmp_path))
    settings = load_settings()
    assert settings.database == url
    told = list(effective(settings, {}, {"TARIFFS_SECRETS_DIR": str(tmp_path)}))
    (shown,) = [text for text in told if text.startswith("TARIFFS_DATABASE_URL")]
    assert shown.endswith(f"(file {tmp_path / 'tariffs_database_url'})")
    assert "hunter2" not in shown
    monkeypatch.setenv("TARIFFS_DATABASE_URL", "sqlite:///other")
    assert load_settings().database == "sqlite:///other"


def test_every_setting_is_described_once_in_the_groups_and_on_the_page(root: Path) -> None:
    names = [name for group in GROUPS for name in group.__annotations__]
    assert sorted(names) == sorted(Settings.model_fields)
    assert all(texts_of(group).keys() == group.__annotations__.keys() for group in GROUPS)
    page = "docs/service.md"
    text = (root / page).read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    assert replaced(text) == text, f"run: python -m tariffs.service.settings.settings_table {page}"
    assert table() in text


@pytest.mark.parametrize("run", [serving.serve, serving.check])
def test_a_setting_that_cannot_be_used_ends_the_start_with_2(
    run: Callable[..., int], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(port="x") == 2
    assert "TARIFFS_PORT" in capfd.readouterr().out


def test_the_check_tells_the_settings_and_tests_the_engine_and_the_database(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tested: list[bool] = []
    monkeypatch.setattr(serving, "warm_up", lambda: tested.append(True))
    monkeypatch.setenv("TARIFFS_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "tokens").write_text("alice\n")
    assert serving.check(tokens_file=tmp_path / "tokens") == 2
    assert "line 1" in capfd.readouterr().out
    assert serving.check(port="7") == 0
    told = capfd.readouterr().out
    assert "TARIFFS_PORT = 7  (argument --port)" in told
    assert '"event": "checked"' in told
    assert tested[-1:] == [True]
    url = "postgresql+psycopg://u:hunter2@127.0.0.1:1/db?connect_timeout=2"
    monkeypatch.setenv("TARIFFS_DATABASE_URL", url)
    monkeypatch.setenv("TARIFFS_LOG_FORMAT", "console")
    assert serving.check() == 3
    told = capfd.readouterr().out
    assert '"event"' not in told
    assert "TARIFFS_DATABASE_URL = postgresql+psycopg://***@127.0.0.1:1/db?***" in told
    assert "hunter2" not in told
    assert "STORAGE_UNAVAILABLE" in told
