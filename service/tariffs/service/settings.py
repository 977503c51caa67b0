"""Settings of the server: environment variables with the prefix TARIFFS_, or arguments."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What the server needs to know; each field is a variable such as TARIFFS_PORT."""

    model_config = SettingsConfigDict(env_prefix="TARIFFS_", frozen=True)

    host: str = "127.0.0.1"
    """Address to listen on. There is no authentication yet: leave it on loopback or behind a proxy."""
    port: int = Field(default=50051, ge=0, le=65535)
    """Port to listen on; 0 takes a free one, which the log line `listening` names."""
    workers: int = Field(default_factory=lambda: min(2, os.cpu_count() or 1), ge=1, le=64)
    """Runs computed at the same time."""
    admitted_runs: int = Field(default=8, ge=1, le=1024)
    """Runs computed or waiting; one more is refused with TOO_MANY_STREAMS."""
    concurrent_calls: int = Field(default=256, ge=1)
    """Calls of any kind at the same time."""
    drain_seconds: float = Field(default=0.5, ge=0)
    """How long after SIGTERM new calls still hear SHUTTING_DOWN, so that balancers notice."""
    grace_seconds: float = Field(default=20.0, ge=0)
    """How long calls in flight may take to end after that."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least level that is logged."""
    log_format: Literal["json", "console"] = "json"
    """One JSON object a line, or text for people."""
