# SPDX-License-Identifier: Apache-2.0
"""What alembic runs: revisions on the connection that `db.migrate` hands over, in its transaction.

No configuration file and no connection of its own. `render_as_batch` lets SQLite change tables.
"""

from __future__ import annotations

from alembic import context

from gatebot.db import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
