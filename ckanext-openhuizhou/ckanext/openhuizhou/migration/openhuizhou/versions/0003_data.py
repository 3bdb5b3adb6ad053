"""Loads of published tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003_data"
down_revision = "0002_harvest"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "openhuizhou_load",
        sa.Column("resource_id", sa.UnicodeText, primary_key=True),
        sa.Column("package_id", sa.UnicodeText, nullable=False, index=True),
        sa.Column("verdict", sa.UnicodeText, nullable=False),
        sa.Column("rows", sa.BigInteger),
        sa.Column("digest", sa.UnicodeText),
        sa.Column("size_bytes", sa.BigInteger),
        sa.Column("loaded_at", sa.DateTime),
        sa.Column("checked_at", sa.DateTime, nullable=False),
        sa.Column("findings", JSONB, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("openhuizhou_load")
