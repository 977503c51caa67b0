"""Scenarios of a team: their versions, checks and events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables of stored scenarios."""
    op.create_table(
        "scenarios",
        sa.Column("owner", sa.String(200), primary_key=True),
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changes", sa.Integer, nullable=False),
        sa.Column("shared_with", sa.String(200), nullable=False),
        sa.Column("created", sa.Double, nullable=False),
    )
    op.create_table(
        "scenario_versions",
        sa.Column("owner", sa.String(200), primary_key=True),
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("stored", sa.Double, nullable=False),
    )
    op.create_table(
        "scenario_checks",
        sa.Column("owner", sa.String(200), primary_key=True),
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("law_digest", sa.String(64), primary_key=True),
        sa.Column("result", sa.LargeBinary, nullable=False),
        sa.Column("checked", sa.Double, nullable=False),
    )
    op.create_table(
        "scenario_events",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("shared_with", sa.String(200), nullable=False),
        sa.Column("result", sa.LargeBinary),
        sa.Column("happened", sa.Double, nullable=False),
    )
