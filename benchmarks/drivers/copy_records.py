"""The state of records as if they had been harvested: ``copy_records.py SOURCE``.

What reading them again costs does not depend on how they came in, and writing 300,000 entries would take an hour.
"""

from __future__ import annotations

import sys

import sqlalchemy as sa
from _app import answer, application

from ckanext.openhuizhou import config
from ckanext.openhuizhou.harvesters.assembly import assembled, guarded_client
from ckanext.openhuizhou.harvesters.batches import Batches
from ckanext.openhuizhou.harvesters.checks import Checks
from ckanext.openhuizhou.harvesters.kinds import Reading
from ckanext.openhuizhou.harvesters.lease import Lease
from ckanext.openhuizhou.harvesters.prepare import Preparer, meaning_of
from ckanext.openhuizhou.model.harvest import Record, Source, source_id_of
from ckanext.openhuizhou.transport.variables import Variables


def main(name: str) -> int:
    from ckan import model

    source = model.Session.get_one(Source, source_id_of(name))
    parts = assembled(source, Variables.load(config.source_variables_file()))
    reading = Reading(guarded_client())
    kind = parts.opened(reading)
    checks = Checks.of(source.organization_id, source.approved, source.id, source.priority)
    lease = Lease("copied", source.id, "normal", "nobody", resumed=False)
    preparer = Preparer(lease, parts.mapping, checks, False, meaning_of(parts.mapping, checks))
    kind.open()
    count = 0
    for batch in Batches(kind, reading, parts.mapping, lease):
        compared = [preparer._compared(record, None).prepared for record in batch]
        rows = [
            {
                "source_id": source.id,
                "key": one.key,
                "state": "published",
                "hash": "copied",
                "payload_digest": one.payload_digest,
                "mapping_digest": one.mapping_digest,
                "data_digest": one.data_digest,
                "kind_state": dict(one.state or {}),
                "last_result": "added",
                "last_run_id": "copied",
            }
            for one in compared
        ]
        model.Session.execute(sa.insert(Record), rows)
        count += len(rows)
    kind.close()
    model.Session.commit()
    return count


with application():
    answer(count=main(sys.argv[1]))
