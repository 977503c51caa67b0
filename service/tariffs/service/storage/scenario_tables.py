"""Database tables of stored scenarios: their heads, versions, checks and events."""

from __future__ import annotations

import sqlalchemy as sa

from tariffs.service.storage.database import METADATA

SCENARIOS = sa.Table(
    "scenarios",
    METADATA,
    sa.Column("owner", sa.String(200), primary_key=True),
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("changes", sa.Integer, nullable=False),
    sa.Column("shared_with", sa.String(200), nullable=False),
    sa.Column("created", sa.Double, nullable=False),
)
SCENARIO_VERSIONS = sa.Table(
    "scenario_versions",
    METADATA,
    sa.Column("owner", sa.String(200), primary_key=True),
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("stored", sa.Double, nullable=False),
)
SCENARIO_CHECKS = sa.Table(
    "scenario_checks",
    METADATA,
    sa.Column("owner", sa.String(200), primary_key=True),
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("law_digest", sa.String(64), primary_key=True),
    sa.Column("result", sa.LargeBinary, nullable=False),
    sa.Column("checked", sa.Double, nullable=False),
)
SCENARIO_EVENTS = sa.Table(
    "scenario_events",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("shared_with", sa.String(200), nullable=False),
    sa.Column("result", sa.LargeBinary),
    sa.Column("happened", sa.Double, nullable=False),
)
