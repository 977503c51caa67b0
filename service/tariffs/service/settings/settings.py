"""Settings of the server: environment variables with the prefix TARIFFS_, or arguments, checked at the start."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tariffs.engine.errors import InputError

PREFIX = "TARIFFS_"
_DATABASES = ("sqlite:///", "postgresql+psycopg://")
_SECRET_PLACE = re.compile(r"://.*@|\?.*")


def _half(name: str) -> Any:
    return Field(
        default_factory=lambda known: max(1, known[name] // 2),
        ge=1,
        json_schema_extra={"default": f"half of `{PREFIX}{name.upper()}`"},
    )


class _Group(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, env_ignore_empty=True, use_attribute_docstrings=True
    )


class Listening(_Group):
    """Listening."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=50051, ge=0, le=65535)
    """Port to listen on; 0 takes a free one, which the log line `listening` names."""
    processes: int = Field(default=1, ge=1, le=64)
    """Server processes that share the port, each with workers and limits of its own."""

    @property
    def address(self) -> str:
        """Host and port as gRPC reads them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Security(_Group):
    """Security."""

    tls_certificate: Path | None = None
    """PEM file of the server's certificate and those between it and the root; read anew when it changes."""
    tls_key: Path | None = None
    """PEM file of its private key."""
    tls_client_ca: Path | None = None
    """PEM file of the authorities whose clients are let in; unset, a client needs no certificate."""
    tokens_file: Path | None = None
    """File of `name token` or `name sha256:HEX` lines; with it every call needs a token. Read anew when it changes."""
    insecure_listen: bool = False
    """Allow an address beyond loopback without TLS and without tokens, as behind a proxy that has both."""


class Work(_Group):
    """Work at the same time."""

    workers: int = Field(
        default_factory=lambda: min(2, os.cpu_count() or 1),
        ge=1,
        le=64,
        json_schema_extra={"default": "2 or fewer cores"},
    )
    """Worker processes for runs over tables; each computes one at a time."""
    admitted_runs: int = Field(default=8, ge=1, le=1024)
    """Runs computed or waiting; one more is TOO_MANY_STREAMS."""
    runs_per_caller: int = Field(default=6, ge=1, le=1024)
    """Runs of one caller computed or waiting, so that nobody takes all places."""
    concurrent_calls: int = Field(default=256, ge=1, le=65536)
    """Calls of any kind at the same time; one more is TOO_MANY_STREAMS."""
    calls_per_caller: int = _half("concurrent_calls")
    """Of these, how many may be one caller's: one token's, or without tokens one address's."""
    waiting_calls: int = Field(default=64, ge=1, le=65536)
    """Calls that wait until the server looks at them; beyond, gRPC turns calls away, and beyond twice as many all."""


class State(_Group):
    """Tables and long runs."""

    state_dir: Path = Field(
        default_factory=lambda: platformdirs.user_state_path("tariffs"),
        json_schema_extra={"default": "the user's state directory"},
    )
    """Directory of uploaded tables and results; replicas may share it."""
    database_url: SecretStr | None = Field(
        default=None, json_schema_extra={"default": "a file in `TARIFFS_STATE_DIR`"}
    )
    """Ledger of tables and runs: `sqlite:///FILE`, or `postgresql+psycopg://...` for replicas on several machines."""
    table_bytes_limit: int = Field(default=2 << 30, ge=1)
    """Largest table kept, in bytes."""
    table_rows_limit: int = Field(default=50_000_000, ge=1)
    """Longest table kept, in rows."""
    tables_per_owner: int = Field(default=100, ge=1)
    """Tables kept for one owner; one more is refused."""
    table_days: float = Field(default=30.0, gt=0)
    """Days after its last use on which a table is forgotten."""
    run_days: float = Field(default=30.0, gt=0)
    """Days after its end on which a long run is forgotten."""
    runs_waiting_limit: int = Field(default=100, ge=1)
    """Long runs waiting for a worker; one more is refused."""
    runs_waiting_per_owner: int = _half("runs_waiting_limit")
    """Of these, how many may be one owner's, so that nobody takes all places."""
    runs_per_owner: int = Field(default=500, ge=1)
    """Long runs kept for one owner, ended ones too; one more is refused."""
    lease_seconds: float = Field(default=15.0, ge=0.5)
    """How long a long run stays with a server that no longer says it lives."""

    @property
    def database(self) -> str:
        """The URL of the ledger, with its secrets."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.state_dir / 'tariffs.sqlite'}"


class Observation(_Group):
    """Logs and metrics."""

    metrics_host: str = "127.0.0.1"
    """Address of the metrics for Prometheus."""
    metrics_port: int | None = Field(default=None, ge=0, le=65535, json_schema_extra={"default": "none, off"})
    """Port of the metrics: the first process has this one, the second the next; 0 takes free ones, named in the log."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least level that is logged: debug, info, warning or error."""
    log_format: Literal["json", "console"] = "json"
    """json is one object a line; console is text for people."""


class Stopping(_Group):
    """Stopping."""

    drain_seconds: float = Field(default=0.5, ge=0)
    """How long after SIGTERM new calls still hear SHUTTING_DOWN, so that balancers notice."""
    grace_seconds: float = Field(default=20.0, ge=0)
    """How long calls in flight may take to end after that."""


GROUPS = (Listening, Security, Work, State, Observation, Stopping)


class Settings(Listening, Security, Work, State, Observation, Stopping):
    """What the server needs to know; each field is a variable such as TARIFFS_PORT."""

    @field_validator("tls_certificate", "tls_key", "tls_client_ca", "tokens_file")
    @classmethod
    def _is_there(cls, path: Path | None) -> Path | None:
        if path is None or (path.is_file() and os.access(path, os.R_OK)):
            return path
        raise ValueError("it is not a file that can be read")

    @field_validator("database_url")
    @classmethod
    def _is_known(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None or url.get_secret_value().startswith(_DATABASES):
            return url
        raise ValueError(f"it begins with none of {', '.join(_DATABASES)}")

    @model_validator(mode="after")
    def _fits(self) -> Settings:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("TARIFFS_TLS_CERTIFICATE and TARIFFS_TLS_KEY need each other")
        if self.tls_client_ca is not None and self.tls_certificate is None:
            raise ValueError("TARIFFS_TLS_CLIENT_CA needs TARIFFS_TLS_CERTIFICATE and TARIFFS_TLS_KEY")
        if not (self.guarded or self.insecure_listen or is_loopback(self.host)):
            raise ValueError(
                f"TARIFFS_HOST {self.host} is beyond loopback, and neither TARIFFS_TLS_CERTIFICATE nor "
                "TARIFFS_TOKENS_FILE is set: set one of them, or TARIFFS_INSECURE_LISTEN=true"
            )
        return self

    @property
    def guarded(self) -> bool:
        """Whether calls are encrypted or need a token."""
        return self.tls_certificate is not None or self.tokens_file is not None


def load_settings(**given: Any) -> Settings:
    """Settings from the arguments that are not None, then the environment, then the defaults.

    Raises:
        InputError: SETTING_INVALID, naming every variable at fault.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        faults = [_fault(one) for one in error.errors() if one["type"] != "default_factory_not_called"]
        raise InputError(
            "SETTING_INVALID",
            f"{'; '.join(faults)}.",
            fix="Set it otherwise, or unset it for its default; docs/service.md lists every setting.",
        ) from None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def shown(value: Any) -> str:
    """A setting as it may be printed: of a URL neither who nor what its query says."""
    if value is None:
        return "none"
    if isinstance(value, SecretStr):
        return _SECRET_PLACE.sub(
            lambda found: "?***" if found[0][0] == "?" else "://***@", value.get_secret_value()
        )
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fault(error: Mapping[str, Any]) -> str:
    why = str(error["msg"]).removeprefix("Value error, ")
    if not error["loc"]:
        return why
    name = str(error["loc"][0])
    if name == "database_url":
        return f"{PREFIX}{name.upper()}: {why}"
    return f"{PREFIX}{name.upper()} {error['input']!r}: {why[:1].lower()}{why[1:]}"
