"""Resource codes, titles and platform roles."""

import sqlalchemy as sa
from alembic import op

revision = "0001_catalogue"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "openhuizhou_code_counter",
        sa.Column("category", sa.UnicodeText, primary_key=True),
        sa.Column("last", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "openhuizhou_catalogue_code",
        sa.Column("code", sa.UnicodeText, primary_key=True),
        sa.Column("package_id", sa.UnicodeText, nullable=False, index=True),
        sa.Column("assigned_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "openhuizhou_title",
        sa.Column("package_id", sa.UnicodeText, primary_key=True),
        sa.Column("owner_org", sa.UnicodeText, nullable=False),
        sa.Column("normalised", sa.UnicodeText, nullable=False),
        sa.UniqueConstraint("owner_org", "normalised", name="openhuizhou_title_once_per_provider"),
    )
    op.create_table(
        "openhuizhou_role",
        sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("user_id", sa.UnicodeText, nullable=False),
        sa.Column("role", sa.UnicodeText, nullable=False),
        sa.Column("granted_at", sa.DateTime, nullable=False),
        sa.Column("granted_by", sa.UnicodeText),
        sa.Column("revoked_at", sa.DateTime),
        sa.Column("revoked_by", sa.UnicodeText),
        sa.CheckConstraint(
            "role IN ('platform_officer', 'security_officer', 'auditor')", name="openhuizhou_role_known"
        ),
    )
    op.create_index(
        "openhuizhou_role_once",
        "openhuizhou_role",
        ["user_id", "role"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )


def downgrade() -> None:
    for table in ("role", "title", "catalogue_code", "code_counter"):
        op.drop_table(f"openhuizhou_{table}")
