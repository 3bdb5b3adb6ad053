"""Reader of the organizations with what our schema adds to them, all in one query."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from ckan import model
from sqlalchemy.orm import aliased

#: Extras of an organization that ``departments`` returns.
FIELDS = ("short_name", "level", "region", "credit_code", "credit_code_demo")


def departments() -> list[dict[str, Any]]:
    """Active organizations by name: id, name, title, parent (a name or ``None``) and ``FIELDS`` as they are stored."""
    child, parent, member = aliased(model.Group), aliased(model.Group), model.Member
    query = (
        sa.select(child.id, child.name, child.title, _extras(child), parent.name)
        .outerjoin(
            member,
            sa.and_(member.group_id == child.id, member.table_name == "group", member.state == model.State.ACTIVE),
        )
        .outerjoin(parent, sa.and_(parent.id == member.table_id, parent.state == model.State.ACTIVE))
        .where(child.is_organization.is_(True), child.state == model.State.ACTIVE)
        .order_by(child.name)
    )
    return [
        {
            "id": id_,
            "name": name,
            "title": title,
            "parent": parent_name,
            **{field: (extras or {}).get(field) for field in FIELDS},
        }
        for id_, name, title, extras, parent_name in model.Session.execute(query)
    ]


def _extras(group: Any) -> Any:
    """CKAN maps the column by table, so that no annotation tells of it."""
    return group.extras
