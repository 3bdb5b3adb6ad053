"""Files of whole tables in other formats, made when they are first asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0010_table_export"
down_revision = "0009_table_profile"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "openhuizhou_table_export",
        sa.Column("resource_id", sa.UnicodeText, primary_key=True),
        sa.Column("format", sa.UnicodeText, primary_key=True),
        # of the load that it was made from
        sa.Column("digest", sa.UnicodeText, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.UnicodeText, nullable=False),
        sa.Column("made_at", sa.DateTime, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("openhuizhou_table_export")
