"""What the whole engine keeps: schedule and secrets of sources, control of runs, differences, notices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004_engine"
down_revision = "0003_data"
branch_labels = None
depends_on = None

_ACTIVE_BEFORE = "state IN ('queued', 'running')"
_ACTIVE = "state IN ('queued', 'running', 'paused')"
_CHECKS = {
    "openhuizhou_source": {"notify": "notify IN ('always', 'change', 'error', 'never')"},
    "openhuizhou_run": {
        "state": "state IN ('queued', 'running', 'paused', 'held', 'done', 'failed', 'cancelled')",
        "mode": "mode IN ('normal', 'full', 'dry')",
        "trigger": "trigger IN ('person', 'schedule', 'command')",
        "control": "control IN ('pause', 'cancel')",
        "decision": "decision IN ('approved', 'refused')",
    },
    "openhuizhou_record": {
        "state": "state IN ('published', 'pending', 'withdrawn', 'refused', 'failed', 'superseded')"
    },
}


def upgrade() -> None:
    _source()
    _run()
    for name, kind in (("held_columns", JSONB), ("payload_digest", sa.UnicodeText), ("rule", sa.UnicodeText)):
        op.add_column("openhuizhou_record", sa.Column(name, kind))
    op.create_index(
        "ix_openhuizhou_record_held",
        "openhuizhou_record",
        ["source_id"],
        postgresql_where=sa.text("held_columns IS NOT NULL"),
    )
    _difference()
    _run_notice()
    for table, checks in _CHECKS.items():
        for name, condition in checks.items():
            op.create_check_constraint(f"ck_{table}_{name}", table, condition)


def _source() -> None:
    table = "openhuizhou_source"
    op.add_column(table, sa.Column("secrets", JSONB, nullable=False, server_default="{}"))
    op.add_column(table, sa.Column("notify", sa.UnicodeText, nullable=False, server_default="error"))
    for name, kind in (
        ("contact_email", sa.UnicodeText),
        ("approved_by", sa.UnicodeText),
        ("approved_at", sa.DateTime),
        ("next_run", sa.DateTime),
    ):
        op.add_column(table, sa.Column(name, kind))
    op.create_index(
        "ix_openhuizhou_source_due",
        table,
        ["next_run"],
        postgresql_where=sa.text("active AND next_run IS NOT NULL"),
    )


def _run() -> None:
    table = "openhuizhou_run"
    op.add_column(table, sa.Column("total", sa.Integer))
    op.add_column(table, sa.Column("requests", sa.Integer, nullable=False, server_default="0"))
    op.add_column(table, sa.Column("rules", JSONB, nullable=False, server_default="{}"))
    op.add_column(table, sa.Column("trigger", sa.UnicodeText, nullable=False, server_default="person"))
    for name in ("requested_by", "control", "decision", "decided_by"):
        op.add_column(table, sa.Column(name, sa.UnicodeText))
    op.add_column(table, sa.Column("decided_at", sa.DateTime))
    # a run that was started to release the brake is now the held run itself, approved
    op.execute("UPDATE openhuizhou_run SET mode = 'normal', decision = 'approved' WHERE mode = 'approved'")
    _active_runs(_ACTIVE)
    op.create_index("ix_openhuizhou_run_waiting", table, ["created"], postgresql_where=sa.text(_ACTIVE_BEFORE))
    op.create_index("ix_openhuizhou_run_held", table, ["source_id"], postgresql_where=sa.text("state = 'held'"))


def _active_runs(condition: str) -> None:
    op.drop_index("uq_openhuizhou_run_active", "openhuizhou_run")
    op.create_index(
        "uq_openhuizhou_run_active",
        "openhuizhou_run",
        ["source_id"],
        unique=True,
        postgresql_where=sa.text(condition),
    )


def _difference() -> None:
    op.create_table(
        "openhuizhou_difference",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=True),
        sa.Column("run_id", sa.UnicodeText, sa.ForeignKey("openhuizhou_run.id", ondelete="CASCADE"), nullable=False),
        sa.Column("record", sa.UnicodeText, nullable=False),
        sa.Column("title", sa.UnicodeText),
        sa.Column("dataset_id", sa.UnicodeText),
        sa.Column("action", sa.UnicodeText, nullable=False),
        sa.Column("changes", JSONB, nullable=False),
    )
    op.create_index("ix_openhuizhou_difference_run", "openhuizhou_difference", ["run_id", "id"])


def _run_notice() -> None:
    op.create_table(
        "openhuizhou_run_notice",
        sa.Column("run_id", sa.UnicodeText, sa.ForeignKey("openhuizhou_run.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("recipient", sa.UnicodeText, primary_key=True),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt", sa.DateTime),
        sa.Column("sent", sa.DateTime),
        sa.Column("error", sa.UnicodeText),
    )
    op.create_index(
        "ix_openhuizhou_run_notice_due",
        "openhuizhou_run_notice",
        ["next_attempt"],
        postgresql_where=sa.text("next_attempt IS NOT NULL"),
    )


def downgrade() -> None:
    for table, checks in _CHECKS.items():
        for name in checks:
            op.drop_constraint(f"ck_{table}_{name}", table)
    op.drop_table("openhuizhou_run_notice")
    op.drop_table("openhuizhou_difference")
    op.drop_index("ix_openhuizhou_record_held", "openhuizhou_record")
    for name in ("held_columns", "payload_digest", "rule"):
        op.drop_column("openhuizhou_record", name)
    op.drop_index("ix_openhuizhou_run_held", "openhuizhou_run")
    op.drop_index("ix_openhuizhou_run_waiting", "openhuizhou_run")
    op.execute("UPDATE openhuizhou_run SET state = 'cancelled' WHERE state = 'paused'")
    op.execute("UPDATE openhuizhou_record SET state = 'refused' WHERE state = 'superseded'")
    _active_runs(_ACTIVE_BEFORE)
    for name in (
        "total", "requests", "rules", "trigger", "requested_by", "control", "decision", "decided_by", "decided_at",
    ):  # fmt: skip
        op.drop_column("openhuizhou_run", name)
    op.drop_index("ix_openhuizhou_source_due", "openhuizhou_source")
    for name in ("secrets", "notify", "contact_email", "approved_by", "approved_at", "next_run"):
        op.drop_column("openhuizhou_source", name)
