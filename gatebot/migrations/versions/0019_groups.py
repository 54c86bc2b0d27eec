# SPDX-License-Identifier: Apache-2.0
"""Groups have an identity of their own, an owner, groups as members, and a history."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from alembic import op

from gatebot.db import utc

revision = "0019_groups"
down_revision = "0018_kept_by_people"
branch_labels = None
depends_on = None

_OWNER = "Administrators"


def _uuid(name: str) -> str:
    return hashlib.sha1(f"gatebot group {name}".encode(), usedforsecurity=False).hexdigest()


def upgrade() -> None:
    op.add_column("account_group", sa.Column("uuid", sa.Text, nullable=False, server_default=""))
    op.add_column("account_group", sa.Column("number", sa.Integer, nullable=False, server_default="0"))
    op.add_column("account_group", sa.Column("owner", sa.Text, nullable=False, server_default=""))
    op.add_column("account_group", sa.Column("visible", sa.Boolean, nullable=False, server_default=sa.true()))
    op.add_column("account_group", sa.Column("created", utc, nullable=True))
    groups = sa.table(
        "account_group",
        sa.column("name", sa.Text),
        sa.column("uuid", sa.Text),
        sa.column("number", sa.Integer),
        sa.column("owner", sa.Text),
        sa.column("created", utc),
    )
    connection = op.get_bind()
    names = connection.execute(sa.select(groups.c.name).order_by(groups.c.name)).scalars().all()
    began = connection.execute(
        sa.select(sa.func.min(sa.column("created", utc))).select_from(sa.table("account"))
    ).scalar()
    for number, name in enumerate(names, 1):
        values = {"uuid": _uuid(name), "number": number, "owner": _uuid(_OWNER), "created": began}
        connection.execute(groups.update().where(groups.c.name == name).values(values))
    op.create_index("ix_account_group_uuid", "account_group", ["uuid"], unique=True)
    op.create_index("ix_account_group_number", "account_group", ["number"], unique=True)
    op.create_table(
        "account_group_nested",
        sa.Column("group", sa.Text, nullable=False),
        sa.Column("member", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["group"], ["account_group.name"], name="fk_account_group_nested_group"),
        sa.PrimaryKeyConstraint("group", "member", name="pk_account_group_nested"),
    )
    op.create_table(
        "account_group_log",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("uuid", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("member", sa.Text, nullable=False),
        sa.Column("account", sa.Integer, nullable=True),
        sa.Column("at", utc, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account_group_log"),
    )
    op.create_index("ix_account_group_log_uuid", "account_group_log", ["uuid"])


def downgrade() -> None:
    op.drop_index("ix_account_group_log_uuid", "account_group_log")
    op.drop_table("account_group_log")
    op.drop_table("account_group_nested")
    op.drop_index("ix_account_group_number", "account_group")
    op.drop_index("ix_account_group_uuid", "account_group")
    for name in ("created", "visible", "owner", "number", "uuid"):
        op.drop_column("account_group", name)
