"""What each column of a table holds, counted once per load."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009_table_profile"
down_revision = "0008_table_version"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "openhuizhou_table_profile",
        sa.Column("resource_id", sa.UnicodeText, primary_key=True),
        # of the load that it was counted for: its rows, and its columns' labels and types
        sa.Column("digest", sa.UnicodeText, nullable=False),
        sa.Column("dictionary", sa.UnicodeText, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        # rows that were counted, where not all of them were
        sa.Column("sampled", sa.BigInteger),
        sa.Column("columns", JSONB, nullable=False),
        sa.Column("made_at", sa.DateTime, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("openhuizhou_table_profile")
