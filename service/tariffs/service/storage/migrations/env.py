"""Run revisions on the connection that `migrate.py` passes; executed by alembic."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
