"""Settings of the server: environment variables with the prefix TARIFFS_, or arguments, checked at the start.

Each setting names the requirement that needs it; a value that every installation would leave alone is a constant.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator

from tariffs.engine.errors import InputError
from tariffs.service.settings.group import PREFIX, AuditRecord, Stopping, is_loopback
from tariffs.service.settings.group import Group as _Group

_DATABASES = ("sqlite:///", "postgresql+psycopg://")
DAY_SECONDS = 86_400.0
PUBLIC_KEY_ALGORITHMS = frozenset(
    [f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)] + ["Ed25519", "EdDSA"]
)
"""Signatures that a reader of the key cannot make; never `none` or HMAC, whose key would be the published one."""
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?|https?://\[[0-9a-f:]+\](:[0-9]+)?")


class Listening(_Group):
    """Listening."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=50051, ge=0, le=65535)
    """Port to listen on; 0 takes a free port, shown in the log line `listening`."""
    processes: int = Field(default=1, ge=1, le=64)
    """Server processes that share the port, to use more cores; each has its own workers and limits."""
    http_port: int | None = Field(default=None, ge=0, le=65535, json_schema_extra={"default": "none, off"})
    """Second port for Connect, gRPC-Web and JSON over HTTP, with the host, TLS and tokens of the first; 0 takes a free
    port, shown in the log line `http listening`. Needs `tariffs[web]`."""
    http_origins: str = ""
    """Origins of web pages that may call the HTTP port, by commas, such as `https://desk.example.com`; calls of other
    pages are refused."""

    desk_key: SecretStr | None = Field(default=None, min_length=32, json_schema_extra={"default": "none"})
    """Key that seals the sign-ins of the desk, at least 32 characters; servers behind one address share it. Without one
    they end with the server."""

    @property
    def origins(self) -> frozenset[str]:
        """`http_origins` one by one."""
        return frozenset(origin.strip() for origin in self.http_origins.split(",") if origin.strip())

    @property
    def address(self) -> str:
        """Host and port in the form that gRPC expects."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Security(_Group):
    """Security."""

    tls_certificate: Path | None = None
    """PEM file of the server's certificate chain; reloaded when it changes."""
    tls_key: Path | None = None
    """PEM file of the certificate's private key."""
    tls_client_ca: Path | None = None
    """PEM file of the authorities of client certificates; if unset, clients need no certificate."""
    tokens_file: Path | None = None
    """File of `name token` or `name sha256:HEX` lines; if set, every call needs a token. Reloaded when it changes."""
    secrets_dir: Path | None = None
    """Directory of files with one setting each, named as `tariffs_database_url`, for what no environment should show;
    a variable takes precedence."""
    insecure_listen: bool = False
    """Allow an address beyond loopback without TLS and tokens, for a server behind a proxy that has both."""


class Identity(_Group):
    """Identity."""

    tls_names: Literal["none", "common_name", "dns", "uri", "email"] = "none"
    """Name of a client certificate that identifies its caller: common_name, or the one dns, uri or email of its subject
    alternative names. Needs TARIFFS_TLS_CLIENT_CA."""
    oidc_issuer: str = ""
    """Issuer of JSON Web Tokens that identify callers, exactly as in their claim `iss`; empty for none."""
    oidc_audience: str = ""
    """Audience that must be in their claim `aud`."""
    oidc_keys: str = ""
    """JWKS file or https URL of the issuer's public keys; renewed while the server runs."""
    oidc_algorithms: str = "RS256,PS256,ES256,Ed25519"
    """Signature algorithms accepted, by commas; public-key algorithms alone."""
    oidc_name_claim: str = Field(default="sub", min_length=1)
    """Claim with the caller's name; a path such as `realm_access.roles` reaches into objects, here and below."""
    oidc_roles_claim: str = "tariffs_roles"
    """Claim with roles; those other than read, run and admin are left out."""
    oidc_groups_claim: str = "groups"
    """Claim with groups."""
    oidc_name_prefix: str = Field(default="", max_length=50)
    """Put before names of JSON Web Tokens, so that none is that of a token or certificate; required with
    TARIFFS_TOKENS_FILE."""
    oidc_skew_seconds: int = Field(default=60, ge=0, le=600)
    """Seconds by which the clocks of issuer and server may differ."""
    callers_file: Path | None = None
    """YAML file of roles, groups and quotas by caller and by group; each server process counts calls and runs by
    itself. Reloaded when it changes."""
    reflection: Literal["on", "admin", "off"] = "on"
    """Who may ask for the services by reflection: every identified caller, admins, or nobody."""
    channelz: Literal["admin", "off"] = "admin"
    """Who may see connections by channelz: admins, who without identities are everybody, or nobody."""

    @property
    def algorithms(self) -> list[str]:
        """The algorithms accepted."""
        return [name.strip() for name in self.oidc_algorithms.split(",")]


class Work(_Group):
    """Concurrency."""

    workers: int = Field(
        default_factory=lambda: min(2, os.cpu_count() or 1),
        ge=1,
        le=64,
        json_schema_extra={"default": "2 or fewer cores"},
    )
    """Worker processes for runs over tables, each computing one run at a time; bounds memory and cores."""
    admitted_runs: int = Field(default=8, ge=1, le=1024)
    """Runs over tables computed or waiting in a process, to bound waiting time and disk; one more is
    TOO_MANY_STREAMS."""
    cluster: str = ""
    """Address of the scheduler of a Dask cluster that computes long runs, such as `tls://host:8786`; empty for the
    worker processes. Needs `tariffs[scale]`."""
    concurrent_calls: int = Field(default=256, ge=1, le=65536)
    """Concurrent calls of any kind in a process, to bound memory; one more is TOO_MANY_STREAMS."""
    waiting_calls: int = Field(default=256, ge=1, le=65536)
    """Calls queued in gRPC while the server is busy, to bound their delay; beyond it gRPC refuses some calls, beyond
    twice this number all."""


class State(_Group):
    """Tables, long runs and fairness."""

    state_dir: Path = Field(
        default_factory=lambda: platformdirs.user_state_path("tariffs"),
        json_schema_extra={"default": "the user's state directory"},
    )
    """Directory of uploaded tables and results; replicas may share it."""
    caller_share: float = Field(default=0.75, gt=0, le=1)
    """Largest share of concurrent calls, runs and waiting long runs for one caller (a token, or without tokens an
    address), so that no caller takes every place; 1 behind a proxy without tokens."""
    database_url: SecretStr | None = Field(
        default=None, json_schema_extra={"default": "a file in `TARIFFS_STATE_DIR`"}
    )
    """Database of tables and long runs: `sqlite:///FILE`, or `postgresql+psycopg://...` for replicas on several
    machines."""
    table_bytes_limit: int = Field(default=2 << 30, ge=1)
    """Largest uploaded table in bytes of memory, as workers load it whole."""
    tables_per_owner: int = Field(default=100, ge=1)
    """Tables stored for one owner, to bound disk use; one more is ROW_QUOTA."""
    runs_per_owner: int = Field(default=500, ge=1)
    """Long runs stored for one owner, ended ones included, to bound disk use; one more is ROW_QUOTA."""
    scenarios_per_owner: int = Field(default=200, ge=1)
    """Scenarios stored for one owner, to bound disk use; one more is ROW_QUOTA."""
    runs_waiting_limit: int = Field(default=100, ge=1)
    """Long runs waiting for a worker, to bound waiting time; one more is TOO_MANY_STREAMS."""
    keep_days: float = Field(default=30.0, gt=0)
    """Days until deletion: of a table after its last use, of a long run after its end."""
    lease_seconds: float = Field(default=15.0, ge=0.5)
    """Seconds after which another server takes over a long run whose server has died."""

    def share_of(self, places: int) -> int:
        """Return how many of these places one caller may take."""
        return math.ceil(places * self.caller_share)

    @property
    def laws_directory(self) -> Path:
        """Directory of the packs of laws that are served or that runs need."""
        return self.state_dir / "laws"

    @property
    def keep_seconds(self) -> float:
        """`keep_days` in seconds."""
        return self.keep_days * DAY_SECONDS

    @property
    def database(self) -> str:
        """The URL of the database, secrets included."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.state_dir / 'tariffs.sqlite'}"


class LawPacks(_Group):
    """Law packs."""

    law_dir: Path | None = None
    """Directory of law packs, read again every second; unset, the server has the law built in alone."""
    law_keys: Path | None = None
    """PEM file of the Ed25519 public keys whose packs are trusted, one or several."""
    law_unsigned: bool = False
    """Serve packs without a signature too: whoever writes to the directory decides on the law."""
    law_default: str = Field(
        default="builtin", pattern=r"^(builtin|latest|latest>=\d{4}\.\d{2}\.\d{2}\.\d{1,4}|[0-9.]{1,32})$"
    )
    """Law of calls that name none: `builtin`; `latest`; `latest>=VERSION`, for which the server waits at its start; or
    a version, which must be there at the start."""


class Observation(_Group):
    """Logs, metrics and traces."""

    metrics_host: str = "127.0.0.1"
    """Address of the Prometheus endpoint; it has no authentication."""
    metrics_port: int | None = Field(default=None, ge=0, le=65535, json_schema_extra={"default": "none, off"})
    """Port of the Prometheus endpoint of the first process, the next ports are those of the others; 0 takes free ports,
    shown in the log."""
    traces: Literal["none", "otlp"] = "none"
    """`otlp` sends spans of calls, tasks and long runs by OTLP over gRPC, as the standard variables OTEL_* say; needs
    `tariffs[telemetry]`."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Lowest level that is logged: debug, info, warning or error."""
    log_format: Literal["json", "console"] = "json"
    """`json` is one object a line; `console` is text for reading."""


GROUPS = (Listening, Security, Identity, Work, State, LawPacks, Observation, AuditRecord, Stopping)


class Settings(Listening, Security, Identity, Work, State, LawPacks, Observation, AuditRecord, Stopping):
    """All settings of the server; each field is a variable such as TARIFFS_PORT."""

    @field_validator("tls_certificate", "tls_key", "tls_client_ca", "tokens_file", "callers_file", "law_keys")
    @classmethod
    def _is_there(cls, path: Path | None) -> Path | None:
        if path is None or (path.is_file() and os.access(path, os.R_OK)):
            return path
        raise ValueError("the file cannot be read")

    @field_validator("oidc_algorithms")
    @classmethod
    def _has_public_keys(cls, names: str) -> str:
        unknown = {name.strip() for name in names.split(",")} - PUBLIC_KEY_ALGORITHMS
        if unknown:
            raise ValueError(f"choose from {', '.join(sorted(PUBLIC_KEY_ALGORITHMS))}")
        return names

    @field_validator("oidc_keys")
    @classmethod
    def _is_trusted(cls, source: str) -> str:
        parts = urlsplit(source)
        if "://" not in source or parts.scheme == "https" or is_loopback(parts.hostname or ""):
            return source
        raise ValueError("anybody could answer; use a file or an https URL")

    @field_validator("http_origins")
    @classmethod
    def _are_origins(cls, origins: str) -> str:
        for origin in filter(None, map(str.strip, origins.split(","))):
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"{origin} is not an origin: scheme, host and port alone, as browsers send it"
                )
        return origins

    @field_validator("database_url")
    @classmethod
    def _is_known(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None or url.get_secret_value().startswith(_DATABASES):
            return url
        raise ValueError(f"the URL must begin with one of {', '.join(_DATABASES)}")

    @model_validator(mode="after")
    def _fits(self) -> Settings:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("TARIFFS_TLS_CERTIFICATE and TARIFFS_TLS_KEY must be set together")
        if self.tls_client_ca is not None and self.tls_certificate is None:
            raise ValueError("TARIFFS_TLS_CLIENT_CA needs TARIFFS_TLS_CERTIFICATE and TARIFFS_TLS_KEY")
        if self.tls_names != "none" and self.tls_client_ca is None:
            raise ValueError(
                "TARIFFS_TLS_NAMES needs TARIFFS_TLS_CLIENT_CA, whose authorities vouch for the names"
            )
        if len({bool(part) for part in (self.oidc_issuer, self.oidc_audience, self.oidc_keys)}) > 1:
            raise ValueError(
                "TARIFFS_OIDC_ISSUER, TARIFFS_OIDC_AUDIENCE and TARIFFS_OIDC_KEYS must be set together"
            )
        if self.tokens_file is not None and self.oidc_issuer and not self.oidc_name_prefix:
            raise ValueError(
                "TARIFFS_TOKENS_FILE and TARIFFS_OIDC_ISSUER together need TARIFFS_OIDC_NAME_PREFIX, such as oidc:, "
                "or who chooses a name at the issuer could be the caller of a token"
            )
        if self.callers_file is not None and not self.identifies:
            raise ValueError(
                "TARIFFS_CALLERS_FILE needs names: TARIFFS_TOKENS_FILE, TARIFFS_TLS_NAMES or TARIFFS_OIDC_ISSUER"
            )
        if not (self.guarded or self.insecure_listen or is_loopback(self.host)):
            raise ValueError(
                f"TARIFFS_HOST {self.host} is beyond loopback, and neither TARIFFS_TLS_CERTIFICATE nor "
                "TARIFFS_TOKENS_FILE or TARIFFS_OIDC_ISSUER is set: set one of them, or TARIFFS_INSECURE_LISTEN=true"
            )
        if self.law_dir is not None and self.law_keys is None and not self.law_unsigned:
            raise ValueError(
                "TARIFFS_LAW_DIR needs TARIFFS_LAW_KEYS, or TARIFFS_LAW_UNSIGNED=true to serve packs of anybody"
            )
        if self.law_dir is None and self.law_default not in {"builtin", "latest"}:
            raise ValueError("TARIFFS_LAW_DEFAULT names a version, and TARIFFS_LAW_DIR is not set")
        return self

    @property
    def guarded(self) -> bool:
        """True if calls are encrypted or need a token."""
        return self.tls_certificate is not None or self.identifies

    @property
    def identifies(self) -> bool:
        """True if callers are known by name."""
        return self.tokens_file is not None or bool(self.oidc_issuer) or self.tls_names != "none"


def load_settings(**arguments: Any) -> Settings:
    """Load settings from arguments that are not None, then the environment, files of secrets, and the defaults.

    Raises:
        InputError: SETTING_INVALID, naming every invalid variable.
    """
    try:
        given = {name: value for name, value in arguments.items() if value is not None}
        made: Settings = cast(Any, Settings)(_secrets_dir=_secrets_dir(os.environ), **given)
        return made
    except ValidationError as error:
        faults = [_fault(one) for one in error.errors() if one["type"] != "default_factory_not_called"]
        raise InputError(
            "SETTING_INVALID",
            f"{'; '.join(faults)}.",
            fix="Change it, or unset it for its default; docs/service.md lists every setting.",
        ) from None


def _secrets_dir(environment: Mapping[str, str]) -> Path | None:
    """Return the directory of files of settings; raises InputError SETTING_INVALID if it is not there."""
    text = environment.get(f"{PREFIX}SECRETS_DIR")
    if not text or Path(text).is_dir():
        return Path(text) if text else None
    raise InputError(
        "SETTING_INVALID",
        f"{PREFIX}SECRETS_DIR {text!r}: there is no such directory.",
        fix="Mount the secrets there, or unset it.",
    )


def _fault(error: Mapping[str, Any]) -> str:
    why = str(error["msg"]).removeprefix("Value error, ")
    if not error["loc"]:
        return why
    name = str(error["loc"][0])
    if name == "database_url":
        return f"{PREFIX}{name.upper()}: {why}"
    return f"{PREFIX}{name.upper()} {error['input']!r}: {why[:1].lower()}{why[1:]}"
