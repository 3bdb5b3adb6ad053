"""Each load of a table is a version."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008_table_version"
down_revision = "0007_data_job"
branch_labels = None
depends_on = None

_TABLE = "openhuizhou_table_version"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("resource_id", sa.UnicodeText, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("package_id", sa.UnicodeText, nullable=False, index=True),
        sa.Column("digest", sa.UnicodeText, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("columns", JSONB, nullable=False),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("run_id", sa.UnicodeText),
        sa.Column("job_id", sa.UnicodeText),
        # waiting: its rows lie as they were loaded; kept: as Parquet; dropped: older than the last N
        sa.Column("state", sa.UnicodeText, nullable=False),
        sa.Column("file_size", sa.BigInteger),
        sa.Column("file_digest", sa.UnicodeText),
        # against the version before, by key; null where there is no key or no version before
        sa.Column("changes", JSONB),
        sa.CheckConstraint("state IN ('waiting', 'kept', 'dropped')", name=f"ck_{_TABLE}_state"),
    )
    op.create_index(f"ix_{_TABLE}_waiting", _TABLE, ["created"], postgresql_where=sa.text("state = 'waiting'"))


def downgrade() -> None:
    op.drop_table(_TABLE)
