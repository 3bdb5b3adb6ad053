"""The score of each entry with its reasons, and the links that lead elsewhere with what became of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012_quality"
down_revision = "0011_data_check"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "openhuizhou_quality",
        sa.Column("package_id", sa.UnicodeText, primary_key=True),
        sa.Column("organization_id", sa.UnicodeText, nullable=False, index=True),
        # of 100
        sa.Column("score", sa.Integer, nullable=False),
        # {dimension: {points, most, reasons: [{kind, params}]}}
        sa.Column("dimensions", JSONB, nullable=False),
        # in_time, late, none (the cycle promises nothing)
        sa.Column("freshness", sa.UnicodeText, nullable=False),
        sa.Column("due", sa.DateTime),
        sa.Column("computed_at", sa.DateTime, nullable=False),
        sa.CheckConstraint("score BETWEEN 0 AND 100", name="ck_openhuizhou_quality_score"),
        sa.CheckConstraint("freshness IN ('in_time', 'late', 'none')", name="ck_openhuizhou_quality_freshness"),
    )
    op.create_index(
        "ix_openhuizhou_quality_due",
        "openhuizhou_quality",
        ["due"],
        postgresql_where=sa.text("freshness = 'in_time' AND due IS NOT NULL"),
    )
    op.create_table(
        "openhuizhou_link",
        sa.Column("resource_id", sa.UnicodeText, primary_key=True),
        sa.Column("package_id", sa.UnicodeText, nullable=False, index=True),
        sa.Column("url", sa.UnicodeText, nullable=False),
        sa.Column("host", sa.UnicodeText, nullable=False),
        # unknown, ok, broken, refused (an address that nobody approved)
        sa.Column("state", sa.UnicodeText, nullable=False),
        sa.Column("since", sa.DateTime, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("checked_at", sa.DateTime),
        sa.Column("next_check", sa.DateTime, nullable=False),
        sa.CheckConstraint("state IN ('unknown', 'ok', 'broken', 'refused')", name="ck_openhuizhou_link_state"),
    )
    op.create_index("ix_openhuizhou_link_due", "openhuizhou_link", ["next_check"])
    op.create_table(
        "openhuizhou_link_check",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("resource_id", sa.UnicodeText, nullable=False),
        sa.Column("url", sa.UnicodeText, nullable=False),
        sa.Column("state", sa.UnicodeText, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.UnicodeText),
        sa.Column("milliseconds", sa.Integer, nullable=False),
        sa.Column("checked_at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_openhuizhou_link_check_resource", "openhuizhou_link_check", ["resource_id", "checked_at"])


def downgrade() -> None:
    op.drop_table("openhuizhou_link_check")
    op.drop_table("openhuizhou_link")
    op.drop_table("openhuizhou_quality")
