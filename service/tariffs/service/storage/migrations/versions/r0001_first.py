"""Tables and long runs, as version 0.1.0 created them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables `tables` and `runs`."""
    op.create_table(
        "tables",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("owner", sa.String(200), primary_key=True),
        sa.Column("row_count", sa.BigInteger, nullable=False),
        sa.Column("column_count", sa.Integer, nullable=False),
        sa.Column("byte_count", sa.BigInteger, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("used", sa.Double, nullable=False),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("request_id", sa.String(64)),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("maker", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("stage", sa.String(400), nullable=False),
        sa.Column("fraction", sa.Double, nullable=False),
        sa.Column("finished_parts", sa.Integer, nullable=False),
        sa.Column("total_parts", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("crashes", sa.Integer, nullable=False),
        sa.Column("worker", sa.String(64), nullable=False),
        sa.Column("lease_until", sa.Double, nullable=False),
        sa.Column("cancel_asked", sa.Boolean, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("provenance", sa.LargeBinary),
        sa.Column("message_count", sa.BigInteger, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("ended", sa.Double),
        sa.UniqueConstraint("owner", "request_id"),
    )
    op.create_index("runs_by_state", "runs", ["state", "created"])
    op.create_index("runs_by_owner", "runs", ["owner", "created"])
