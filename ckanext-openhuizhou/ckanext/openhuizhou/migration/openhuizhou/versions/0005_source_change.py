"""Who changed a source, when and what."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005_source_change"
down_revision = "0004_engine"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "openhuizhou_source_change",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        # no foreign key: what was done to a source is still known when it is deleted
        sa.Column("source_id", sa.UnicodeText, nullable=False),
        sa.Column("source_name", sa.UnicodeText, nullable=False),
        sa.Column("organization_id", sa.UnicodeText, nullable=False),
        sa.Column("action", sa.UnicodeText, nullable=False),
        sa.Column("changed_at", sa.DateTime, nullable=False),
        sa.Column("changed_by", sa.UnicodeText),
        sa.Column("changes", JSONB, nullable=False),
        sa.CheckConstraint(
            "action IN ('created', 'updated', 'approved', 'deleted', 'seeded')",
            name="ck_openhuizhou_source_change_action",
        ),
    )
    op.create_index("ix_openhuizhou_source_change_source", "openhuizhou_source_change", ["source_id", "id"])


def downgrade() -> None:
    op.drop_table("openhuizhou_source_change")
