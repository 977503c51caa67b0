"""Portfolios of callers, and their events, the outbox of webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the tables of portfolios."""
    op.create_table(
        "portfolios",
        sa.Column("owner", sa.String(200), primary_key=True),
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("shared_with", sa.String(200), nullable=False),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("line_count", sa.Integer, nullable=False),
        sa.Column("refused_count", sa.Integer, nullable=False),
        sa.Column("since", sa.String(10), nullable=False),
        sa.Column("webhook", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("changes", sa.Integer, nullable=False),
        sa.Column("law", sa.String(200), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("standings", sa.LargeBinary),
        sa.Column("held_law", sa.String(200), nullable=False),
        sa.Column("held_lines", sa.Integer, nullable=False),
        sa.Column("held", sa.LargeBinary),
        sa.Column("created", sa.Double, nullable=False),
    )
    op.create_table(
        "portfolio_events",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("event", sa.LargeBinary, nullable=False),
        sa.Column("happened", sa.Double, nullable=False),
        sa.Column("delivery", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due", sa.Double, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.UniqueConstraint("owner", "name", "id"),
        sa.Index("portfolio_events_due", "delivery", "due"),
    )
