"""Sources, runs, records, findings, and the outbox of the index."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002_harvest"
down_revision = "0001_catalogue"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _source()
    _run()
    _record()
    _finding()
    op.create_table(
        "openhuizhou_outbox",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=True),
        sa.Column("package_id", sa.UnicodeText, nullable=False),
        sa.Column("created", sa.DateTime, nullable=False, server_default=sa.func.now()),
    )


def _source() -> None:
    op.create_table(
        "openhuizhou_source",
        sa.Column("id", sa.UnicodeText, primary_key=True),
        sa.Column("name", sa.UnicodeText, nullable=False, unique=True),
        sa.Column("title", sa.UnicodeText, nullable=False),
        sa.Column("organization_id", sa.UnicodeText, nullable=False, index=True),
        sa.Column("kind", sa.UnicodeText, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("approved", sa.Boolean, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("schedule", sa.UnicodeText),
        sa.Column("config", JSONB, nullable=False),
        sa.Column("mapping", JSONB, nullable=False),
        sa.Column("seed_digest", sa.UnicodeText),
        sa.Column("state", JSONB, nullable=False),
        sa.Column("state_mapping", sa.UnicodeText),
        sa.Column("last_good_run_at", sa.DateTime),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("modified", sa.DateTime, nullable=False),
    )


def _run() -> None:
    op.create_table(
        "openhuizhou_run",
        sa.Column("id", sa.UnicodeText, primary_key=True),
        sa.Column(
            "source_id", sa.UnicodeText, sa.ForeignKey("openhuizhou_source.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("mode", sa.UnicodeText, nullable=False),
        sa.Column("state", sa.UnicodeText, nullable=False),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("started", sa.DateTime),
        sa.Column("finished", sa.DateTime),
        sa.Column("worker", sa.UnicodeText),
        sa.Column("heartbeat", sa.DateTime),
        sa.Column("lease_until", sa.DateTime),
        *(
            sa.Column(name, sa.Integer, nullable=False)
            for name in ("checkpoint", "added", "changed", "unchanged", "withdrawn", "refused", "failed")
        ),
    )
    op.create_index("ix_openhuizhou_run_source_created", "openhuizhou_run", ["source_id", "created"])
    op.create_index("ix_openhuizhou_run_created", "openhuizhou_run", ["created"])
    op.create_index(
        "uq_openhuizhou_run_active",
        "openhuizhou_run",
        ["source_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )


def _record() -> None:
    op.create_table(
        "openhuizhou_record",
        sa.Column(
            "source_id", sa.UnicodeText, sa.ForeignKey("openhuizhou_source.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("key", sa.UnicodeText, primary_key=True),
        sa.Column("state", sa.UnicodeText, nullable=False),
        sa.Column("title", sa.UnicodeText),
        sa.Column("dataset_id", sa.UnicodeText),
        sa.Column("hash", sa.UnicodeText),
        sa.Column("refused_hash", sa.UnicodeText),
        sa.Column("data_digest", sa.UnicodeText),
        sa.Column("mapping_digest", sa.UnicodeText),
        sa.Column("columns", JSONB),
        sa.Column("kind_state", JSONB, nullable=False),
        sa.Column("findings", JSONB, nullable=False),
        sa.Column("last_result", sa.UnicodeText, nullable=False),
        sa.Column("last_run_id", sa.UnicodeText, nullable=False),
        sa.Column("first_seen", sa.DateTime, nullable=False),
        sa.Column("last_seen", sa.DateTime, nullable=False),
    )
    op.create_index("ix_openhuizhou_record_sweep", "openhuizhou_record", ["source_id", "last_run_id"])
    op.create_index(
        "uq_openhuizhou_record_dataset",
        "openhuizhou_record",
        ["dataset_id"],
        unique=True,
        postgresql_where=sa.text("dataset_id IS NOT NULL"),
    )


def _finding() -> None:
    op.create_table(
        "openhuizhou_finding",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=True),
        sa.Column("run_id", sa.UnicodeText, sa.ForeignKey("openhuizhou_run.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.UnicodeText, nullable=False),
        sa.Column("severity", sa.UnicodeText, nullable=False),
        sa.Column("record", sa.UnicodeText),
        sa.Column("title", sa.UnicodeText),
        sa.Column("field", sa.UnicodeText),
        sa.Column("row", sa.BigInteger),
        sa.Column("column", sa.UnicodeText),
        sa.Column("value", sa.UnicodeText),
        sa.Column("params", JSONB, nullable=False),
    )
    op.create_index("ix_openhuizhou_finding_run", "openhuizhou_finding", ["run_id", "id"])


def downgrade() -> None:
    for table in ("outbox", "finding", "record", "run", "source"):
        op.drop_table(f"openhuizhou_{table}")
