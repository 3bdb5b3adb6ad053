"""Work on a table that somebody asked for or that a load leaves behind: one row per piece of work, one at a time per
resource. Loads of a resource wait in the order in which they were asked for; of what is derived, one waits at most."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007_data_job"
down_revision = "0006_run_rate"
branch_labels = None
depends_on = None

_TABLE = "openhuizhou_data_job"
_ACTIVE = sa.text("state IN ('queued', 'running')")
_STATES = "state IN ('queued', 'running', 'held', 'done', 'refused', 'failed', 'cancelled')"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("id", sa.UnicodeText, primary_key=True),
        sa.Column("resource_id", sa.UnicodeText, nullable=False),
        sa.Column("package_id", sa.UnicodeText, nullable=False),
        sa.Column("kind", sa.UnicodeText, nullable=False),
        sa.Column("state", sa.UnicodeText, nullable=False),
        sa.Column("mode", sa.UnicodeText),
        sa.Column("file_name", sa.UnicodeText),
        sa.Column("digest", sa.UnicodeText),
        sa.Column("requested_by", sa.UnicodeText),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("started", sa.DateTime),
        sa.Column("finished", sa.DateTime),
        sa.Column("worker", sa.UnicodeText),
        sa.Column("lease_until", sa.DateTime),
        sa.Column("control", sa.UnicodeText),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("step", sa.UnicodeText),
        sa.Column("rows", sa.BigInteger),
        sa.Column("bytes_total", sa.BigInteger),
        sa.Column("findings", JSONB, nullable=False, server_default="[]"),
        sa.CheckConstraint("kind IN ('load', 'derive')", name=f"ck_{_TABLE}_kind"),
        sa.CheckConstraint("mode IN ('replace', 'append', 'upsert')", name=f"ck_{_TABLE}_mode"),
        sa.CheckConstraint(_STATES, name=f"ck_{_TABLE}_state"),
    )
    running, derives = sa.text("state = 'running'"), sa.text("kind = 'derive' AND state = 'queued'")
    op.create_index(f"uq_{_TABLE}_running", _TABLE, ["resource_id"], unique=True, postgresql_where=running)
    op.create_index(f"uq_{_TABLE}_derive", _TABLE, ["resource_id"], unique=True, postgresql_where=derives)
    op.create_index(f"ix_{_TABLE}_waiting", _TABLE, ["created"], postgresql_where=_ACTIVE)
    op.create_index(f"ix_{_TABLE}_resource", _TABLE, ["resource_id", "created"])
    op.create_index(f"ix_{_TABLE}_package", _TABLE, ["package_id", "created"])


def downgrade() -> None:
    op.drop_table(_TABLE)
