"""What one column of a table holds, in figures: how full it is, how many values, how they are spread.

Values are texts as the published CSV file has them: exact numbers, ``2018-03-01``, ``2018-03-01 08:00:00+08:00``,
``true``; long texts are cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from decimal import Context, Decimal
from typing import Any, Final

from .city_time import CITY_ZONE
from .column_roles import Role, role_of
from .items import Item
from .profile_bins import Bins, number_bins, time_bins
from .value_guard import Withheld, tells_of_a_person, withheld

#: Shares of the values that lie at or below a quantile; the outermost bound the histogram and are not shown.
QUANTILES: Final = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
SHOWN_QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
TOP_VALUES: Final = 10
EXAMPLES: Final = 3
#: Characters of a text that are kept.
LONGEST: Final = 100
NUMBERS: Final = frozenset({"integer", "number", "currency"})
TIMES: Final = frozenset({"date", "datetime"})
_MEAN: Final = Context(prec=12)


@dataclass(frozen=True, slots=True)
class Histogram:
    """``counts`` are of the bins between the ``edges`` (each holds its lower edge); ``below``, ``above`` lie outside.

    ``unit`` and ``step`` as in ``profile_bins.Bins``.
    """

    unit: str
    step: str
    edges: tuple[str, ...]
    counts: tuple[int, ...]
    below: int = 0
    above: int = 0


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """``distinct`` is exact unless ``estimated``. ``mean`` has twelve digits. ``lengths``: least, mean and greatest
    number of characters of a text. ``top``: most frequent values with their counts; empty where every value is another
    or none was counted. ``fractions``: some moment has a part of a second. ``withheld``: why values are not told.
    """

    column: str
    name: str
    data_type: str
    unit: str
    nulls: int
    distinct: int
    estimated: bool = False
    minimum: str | None = None
    maximum: str | None = None
    mean: str | None = None
    quantiles: Mapping[str, str] = field(default_factory=dict)
    histogram: Histogram | None = None
    lengths: tuple[int, float, int] | None = None
    top: tuple[tuple[str, int], ...] = ()
    examples: tuple[str, ...] = ()
    fractions: bool = False
    withheld: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ColumnProfile:
        """What ``as_dict`` gave, after a way through JSON."""
        histogram = values.get("histogram")
        made = {name: value for name, value in values.items() if name in cls.__dataclass_fields__}
        made |= {
            "histogram": None
            if histogram is None
            else Histogram(**histogram | {key: tuple(histogram[key]) for key in ("edges", "counts")}),
            "lengths": tuple(values["lengths"]) if values.get("lengths") else None,
            "top": tuple((value, count) for value, count in values.get("top") or ()),
            "examples": tuple(values.get("examples") or ()),
        }
        return cls(**made)


def as_text(value: Any, limit: int = LONGEST) -> str:
    """A value of the database as the CSV file has it; a long text is cut."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(CITY_ZONE).isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    text = str(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def mean_text(value: Decimal) -> str:
    """A mean to twelve digits, without zeros at the end."""
    text = f"{_MEAN.plus(value):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def bins_of(item: Item, low: Any, high: Any, quantiles: Mapping[float, Any]) -> Bins | None:
    """The bins of a column's histogram; None for a text, for one value, or for a number that names its row."""
    least, most = quantiles.get(QUANTILES[0]), quantiles.get(QUANTILES[-1])
    if low is None or least is None or most is None or role_of(item) is Role.CODE:
        return None
    if item.data_type in NUMBERS:
        core = Decimal(least), Decimal(most)
        return number_bins(Decimal(low), Decimal(high), core, whole=item.data_type == "integer")
    return time_bins(low, high, (least, most)) if item.data_type in TIMES else None


def histogram_of(bins: Bins, buckets: Mapping[int, int]) -> Histogram:
    """From how many values lie in each bucket (``Bins.bucket``)."""
    inner = range(1, len(bins.edges))
    return Histogram(
        bins.unit,
        f"{bins.step:f}",
        tuple(as_text(edge) for edge in bins.edges),
        tuple(buckets.get(number, 0) for number in inner),
        buckets.get(0, 0),
        buckets.get(len(bins.edges), 0),
    )


def quantiles_of(counted: Sequence[tuple[Any, int]]) -> dict[float, Any]:
    """From values in their order and their counts: the first value at which the share is reached."""
    total = sum(count for _value, count in counted)
    found: dict[float, Any] = {}
    wanted = iter(QUANTILES)
    share = next(wanted, None)
    reached = 0
    for value, count in counted:
        reached += count
        while share is not None and reached >= share * total:
            found[share] = value
            share = next(wanted, None)
    return found


def guarded(profile: ColumnProfile, item: Item, items: Sequence[Item]) -> ColumnProfile:
    """The profile without what must not be shown: see ``value_guard``."""
    reason = withheld(item, items)
    ends = (profile.minimum, profile.maximum, *profile.quantiles.values())
    if reason is None and any(end is not None and tells_of_a_person(end) for end in ends):
        reason = Withheld.PERSON
    if reason is None:
        return replace(
            profile,
            top=tuple(pair for pair in profile.top if not tells_of_a_person(pair[0])),
            examples=tuple(value for value in profile.examples if not tells_of_a_person(value)),
        )
    return ColumnProfile(
        profile.column,
        profile.name,
        profile.data_type,
        profile.unit,
        profile.nulls,
        profile.distinct,
        profile.estimated,
        lengths=profile.lengths if reason is Withheld.PERSON else None,
        fractions=profile.fractions,
        withheld=reason,
    )
