"""Trace of the call that started a long run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column `started_by` to the runs; those that are there were started by no known call."""
    op.add_column("runs", sa.Column("started_by", sa.String(64), nullable=False, server_default=""))
