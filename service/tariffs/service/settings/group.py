"""Base of the groups of settings."""

from __future__ import annotations

from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "TARIFFS_"


class Group(BaseSettings):
    """Settings that belong together, with a heading of their own in the tables."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, env_ignore_empty=True, use_attribute_docstrings=True
    )
