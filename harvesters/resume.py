"""What a run that was interrupted begins with: counters that say what is settled, and nothing that is found twice.

Records that were settled are known by their last run. What has no key is met again, and so are failed withdrawals.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.harvesters.lease import Lease
from ckanext.openhuizhou.model.harvest import Difference, RunFinding

_WITHDRAWAL: Final = "withdrawal-failed"


def resume(lease: Lease) -> None:
    """Bring findings and counters of a resumed run to what its settled records say; commits.

    A dry run settles nothing and begins anew.
    """
    mine = RunFinding.run_id == lease.run_id
    if lease.mode == "dry":
        model.Session.execute(sa.delete(Difference).where(Difference.run_id == lease.run_id))
        model.Session.execute(sa.delete(RunFinding).where(mine))
        lease.counters, lease.rules, lease.checkpoint = dict.fromkeys(lease.counters, 0), {}, 0
    else:
        loose = RunFinding.kind == _WITHDRAWAL
        if lease.decision is None:  # what a held run was held for stays with it
            loose = sa.or_(loose, RunFinding.record.is_(None), RunFinding.kind.like("key-%"))
        found = sa.delete(RunFinding).where(mine, loose).returning(RunFinding.kind, RunFinding.severity)
        for kind, severity in model.Session.execute(found):
            if kind == _WITHDRAWAL:
                lease.counters["failed"] -= 1
            elif severity == "error":
                lease.counters["refused"] -= 1
        lease.checkpoint = sum(lease.counters.values()) - lease.counters["withdrawn"]
    lease.renew()
    model.Session.commit()
