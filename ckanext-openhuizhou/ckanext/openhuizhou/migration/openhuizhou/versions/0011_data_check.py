"""What an entry's officer decided about the checks of its data, and what the last check of each table found."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011_data_check"
down_revision = "0010_table_export"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "openhuizhou_check_rule",
        sa.Column("package_id", sa.UnicodeText, primary_key=True),
        sa.Column("check", sa.UnicodeText, primary_key=True),
        sa.Column("level", sa.UnicodeText, nullable=False),
        sa.Column("threshold", sa.Numeric),
        sa.Column("changed_by", sa.UnicodeText),
        sa.Column("changed_at", sa.DateTime, nullable=False),
        sa.CheckConstraint("level IN ('ignore', 'warn', 'hold', 'refuse')", name="ck_openhuizhou_check_rule_level"),
    )
    op.create_table(
        "openhuizhou_data_check",
        sa.Column("resource_id", sa.UnicodeText, primary_key=True),
        sa.Column("package_id", sa.UnicodeText, nullable=False, index=True),
        # passed, warned, held, refused
        sa.Column("verdict", sa.UnicodeText, nullable=False),
        # of the rows that were checked; a held table waits under it
        sa.Column("digest", sa.UnicodeText),
        sa.Column("rows", sa.BigInteger),
        sa.Column("bad_rows", sa.BigInteger),
        # one per check and column: {check, column, level, count, share, findings: [...]}
        sa.Column("results", JSONB, nullable=False),
        sa.Column("checked_at", sa.DateTime, nullable=False),
        # what an officer decided about the rows of this digest
        sa.Column("decision", sa.UnicodeText),
        sa.Column("decided_by", sa.UnicodeText),
        sa.Column("decided_at", sa.DateTime),
        sa.CheckConstraint("decision IN ('publish', 'discard')", name="ck_openhuizhou_data_check_decision"),
        sa.CheckConstraint(
            "verdict IN ('passed', 'warned', 'held', 'refused')", name="ck_openhuizhou_data_check_verdict"
        ),
    )


def downgrade() -> None:
    op.drop_table("openhuizhou_data_check")
    op.drop_table("openhuizhou_check_rule")
