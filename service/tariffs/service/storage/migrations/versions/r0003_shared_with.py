"""Group that a table or run is shared with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column `shared_with` to both tables; what is there is shared with nobody."""
    for table in ("tables", "runs"):
        op.add_column(table, sa.Column("shared_with", sa.String(200), nullable=False, server_default=""))
