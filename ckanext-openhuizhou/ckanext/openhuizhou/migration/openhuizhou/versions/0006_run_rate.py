"""When the worker that has a run began, and how many records were settled then: a run that goes on has a rate.

How many workers in a row ended in it without getting further: a run that ends its workers is given up.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006_run_rate"
down_revision = "0005_source_change"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("openhuizhou_run", sa.Column("claimed", sa.DateTime))
    op.add_column("openhuizhou_run", sa.Column("claimed_at_record", sa.Integer, nullable=False, server_default="0"))
    op.add_column("openhuizhou_run", sa.Column("workers_lost", sa.Integer, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("openhuizhou_run", "workers_lost")
    op.drop_column("openhuizhou_run", "claimed_at_record")
    op.drop_column("openhuizhou_run", "claimed")
