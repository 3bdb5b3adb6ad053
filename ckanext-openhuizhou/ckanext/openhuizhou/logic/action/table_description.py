"""What a table is, column by column, and what each column holds."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context

from ckanext.openhuizhou.data import profile
from ckanext.openhuizhou.data.table_columns import columns_of
from ckanext.openhuizhou.data.table_description import Description, describe
from ckanext.openhuizhou.domain.item_values import codes_of
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.harvesters.report import iso
from ckanext.openhuizhou.logic.schema.table_description import table_schema
from ckanext.openhuizhou.logic.validation import validated

__all__ = ["openhuizhou_table_dictionary", "openhuizhou_table_profile"]


@tk.side_effect_free
def openhuizhou_table_dictionary(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """The data dictionary of a table: what was loaded, which need not be what its entry says by now.

    :param resource_id: id of the resource
    :returns: ``{resource_id, columns: [{column, name, data_type, length, scale, unit, is_key, required, codes, minimum,
        maximum, pattern, description, examples}]}`` in the table's order. ``data_type`` is a key of the code list
        data_types, ``codes`` is ``[{code, label}]``, ``examples`` are values as the CSV file has them: none where they
        could tell of persons, and none before the table's profile is made
    """
    tk.check_access("openhuizhou_table_dictionary", context, data_dict)
    resource_id = validated(data_dict, table_schema(), context)["resource_id"]
    try:
        told = describe(resource_id)
    except LookupError:
        raise tk.ObjectNotFound(tk._("This file has no table")) from None
    return {"resource_id": resource_id, "columns": [_described(item, told) for item in told.columns]}


@tk.side_effect_free
def openhuizhou_table_profile(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """What each column of a table holds, counted once after each load.

    :param resource_id: id of the resource
    :returns: ``{resource_id, state, rows, sampled, made_at, seconds, columns}``. ``state`` is ready, or waiting while
        the table is being counted: then there is nothing else. ``sampled``: how many rows were read, null where all
        were. Each column: ``{column, name, data_type, unit, nulls, distinct, estimated, minimum, maximum, mean,
        quantiles, histogram, lengths, top, examples, withheld}``; ``estimated``: ``distinct`` is no exact count;
        ``quantiles``: ``{"0.25": value, …}``; ``histogram``: ``{unit, step, edges, counts, below, above}``, each bin
        with its lower edge; ``lengths``: least, mean and greatest number of characters; ``top``: the most frequent
        values with their counts; ``withheld``: sensitivity or personal-data where values are not told
    """
    tk.check_access("openhuizhou_table_profile", context, data_dict)
    resource_id = validated(data_dict, table_schema(), context)["resource_id"]
    try:
        columns_of(resource_id)
    except LookupError:
        raise tk.ObjectNotFound(tk._("This file has no table")) from None
    kept = profile.current(resource_id)
    if kept is None:
        return {"resource_id": resource_id, "state": "waiting"}
    return {
        "resource_id": resource_id,
        "state": "ready",
        "rows": kept.rows,
        "sampled": kept.sampled,
        "made_at": iso(kept.made_at),
        "seconds": kept.seconds,
        "columns": kept.columns,
    }


def _described(item: Item, told: Description) -> dict[str, Any]:
    names = (
        "column", "name", "data_type", "length", "scale", "unit", "is_key", "required", "minimum", "maximum", "pattern",
        "description",
    )  # fmt: skip
    return {name: getattr(item, name) for name in names} | {
        "codes": [{"code": code, "label": label} for code, label in codes_of(item).items()],
        "examples": list(told.examples.get(item.column, ())),
    }
