"""What ``q`` of ``datastore_search`` means: every word somewhere in the row.

CKAN looks in ``_full_text``, a search vector of the whole row. PostgreSQL cuts it at spaces and punctuation, so that a
Chinese word is found only where it is a cell's whole text, and making it takes longer than everything else in a load.
Here a word is found as part of any text, as a number where it is one, and as a date, moment or truth where it is one.
One pass over the table in parallel; ADR 0041 has the figures.

``plain`` false brings CKAN's operators: ``&``, ``|``, ``!`` before a word; ``:*`` says nothing new, for a part of a
text is found anyway.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import ckan.plugins.toolkit as tk
from ckanext.datastore.backend.postgres import identifier

from ckanext.openhuizhou.domain.city_time import CITY_ZONE

#: Words of one question; each is another look at every text.
MOST_WORDS: Final = 20
_PREFIX: Final = "openhuizhou_q"
_CLAUSE: Final = re.compile(r"_full_text @@ |to_tsvector\(")
_NUMBERS: Final = frozenset({"int4", "int8", "int2", "numeric", "float4", "float8", "money"})
_OPERATORS: Final = frozenset("&|!()")
#: CKAN's operators and signs of words that ``to_tsquery`` takes and a part of a text does not need.
_PARTS: Final = re.compile(r"\s*(<->|[&|!()])\s*")
_NEEDLESS: Final = re.compile(r":\*?[A-Da-d*]*$")

Clause = tuple[str, dict[str, Any]]


def search_by_parts(
    data_dict: Mapping[str, Any], fields_types: Mapping[str, str], query_dict: dict[str, Any]
) -> dict[str, Any]:
    """``IDatastore.datastore_search``: put parts of texts in the place of CKAN's search vectors."""
    asked = [text for name in ("q", "full_text") if (text := data_dict.get(name))]
    if not asked:
        return query_dict
    columns = {name: kind for name, kind in fields_types.items() if name != "_id" and not _is_rank(name)}
    plain = data_dict.get("plain", True)
    clauses: list[Clause] = []
    for text in asked:
        if not isinstance(text, Mapping):
            clauses.append(_found(str(text), columns, plain, len(clauses)))
            continue
        for name, word in text.items():
            if name in columns:
                clauses.append(_found(str(word), {name: columns[name]}, plain, len(clauses)))
    query_dict["where"] = [one for one in query_dict["where"] if not _CLAUSE.match(one[0])] + clauses
    # nobody ranks parts: what is found stands in the table's order, and every rank is one
    query_dict["ts_query"] = ""
    query_dict["sort"] = [one for one in query_dict["sort"] if not one.startswith("ts_rank(")]
    query_dict["select"] = [_without_rank(one) for one in query_dict["select"]]
    return query_dict


def _is_rank(name: str) -> bool:
    return name == "rank" or name.startswith("rank ")


def _without_rank(selected: str) -> str:
    """CKAN selects ``ts_rank(…)`` itself where it stands in a list."""
    return re.sub(r"ts_rank\(.*, 32\)", "1.0::float8", selected) if "ts_rank(" in selected else selected


def _found(text: str, columns: Mapping[str, str], plain: bool, place: int) -> Clause:
    params: dict[str, Any] = {}

    def bound(value: Any) -> str:
        name = f"{_PREFIX}{place}_{len(params)}"
        params[name] = value
        return f":{name}"

    parts = text.split() if plain else list(_parts(text))
    if sum(part not in _OPERATORS for part in parts) > MOST_WORDS:
        raise tk.ValidationError({"q": [f"More than {MOST_WORDS} words"]})
    if plain:
        sql = " AND ".join(_word(part, columns, bound) for part in parts)
    else:
        sql = _Expression(parts, columns, bound).sql()
    return sql or "true", params


def _parts(text: str) -> Iterator[str]:
    """Words and operators; words side by side hold together."""
    word_before = False
    for piece in _PARTS.split(text):
        for raw in piece.split():
            part = "&" if raw == "<->" else _NEEDLESS.sub("", raw.strip("'"))
            is_word = part not in _OPERATORS
            if not part:
                continue
            if word_before and (is_word or part in ("!", "(")):
                yield "&"
            yield part
            word_before = is_word or part == ")"


class _Expression:
    """``a & (b | !c)`` as SQL: alternatives of things that hold together."""

    def __init__(self, parts: list[str], columns: Mapping[str, str], bound: Callable[[Any], str]) -> None:
        self._parts = parts
        self._columns = columns
        self._bound = bound

    def sql(self) -> str:
        if not self._parts:
            return ""
        found = self._either()
        if self._parts:
            self._refuse()
        return found

    def _either(self) -> str:
        parts = [self._both()]
        while self._parts and self._parts[0] == "|":
            self._parts.pop(0)
            parts.append(self._both())
        return f"({' OR '.join(parts)})"

    def _both(self) -> str:
        parts = [self._one()]
        while self._parts and self._parts[0] == "&":
            self._parts.pop(0)
            parts.append(self._one())
        return f"({' AND '.join(parts)})"

    def _one(self) -> str:
        part = self._parts.pop(0) if self._parts else "|"
        if part == "!":
            return f"NOT {self._one()}"
        if part == "(":
            inner = self._either()
            if not self._parts or self._parts.pop(0) != ")":
                self._refuse()
            return inner
        if part in ("&", "|", ")"):
            self._refuse()
        return _word(part, self._columns, self._bound)

    def _refuse(self) -> None:
        raise tk.ValidationError({"q": ["Operators do not fit together"]})


def _word(word: str, columns: Mapping[str, str], bound: Callable[[Any], str]) -> str:
    """One word in any of the columns, as what each of them holds."""
    values = _values(word)
    pattern = ""
    found = []
    for name, kind in columns.items():
        column = identifier(name)
        if kind in ("text", "varchar"):
            pattern = pattern or bound(like_pattern(word))
            found.append(like_sql(column, word, pattern))
        elif kind in _NUMBERS and "number" in values:
            found.append(f"{column} = {bound(values['number'])}")
        elif kind == "bool" and "truth" in values:
            found.append(f"{column} IS {values['truth']}")
        elif kind == "date" and "day" in values:
            found.append(f"{column} = {bound(values['day'])}")
        elif kind in ("timestamp", "timestamptz") and "start" in values:
            start, end = (_as_stored(values[which], kind) for which in ("start", "end"))
            found.append(f"({column} >= {bound(start)} AND {column} < {bound(end)})")
    # NULL is no answer, and would not be one with NOT before it either
    return f"coalesce({' OR '.join(found)}, false)" if found else "false"


def like_sql(column: str, word: str, pattern: str) -> str:
    """That ``column`` holds ``word``, of which ``pattern`` is the placeholder of its ``like_pattern``.

    Only letters of ASCII have a case here: the database's own rules cost twice as much, and a word without any such
    letter, as Chinese words are, half.
    """
    cased = any(letter.isascii() and letter.isalpha() for letter in word)
    return f'{column} COLLATE "C" ILIKE {pattern}' if cased else f"{column} LIKE {pattern}"


def like_pattern(text: str) -> str:
    """The pattern of LIKE that finds ``text`` anywhere."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%"


def _values(word: str) -> dict[str, Any]:
    """What the word says to columns that hold no text."""
    values: dict[str, Any] = {}
    if word.lower() in ("true", "false"):
        values["truth"] = word.upper()
    try:
        number = Decimal(word)
    except InvalidOperation:
        pass
    else:
        if number.is_finite() and abs(number.adjusted()) < 100:
            values["number"] = number
    with suppress(ValueError):
        values["day"] = date.fromisoformat(word)
    try:
        moment = datetime.fromisoformat(word)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=CITY_ZONE)
        step = timedelta(days=1) if "day" in values else timedelta(microseconds=1)
        values["start"], values["end"] = moment, moment + step
    except (ValueError, OverflowError):
        pass
    return values


def _as_stored(moment: datetime, kind: str) -> datetime:
    """A column without zones holds the city's time."""
    return moment if kind == "timestamptz" else moment.astimezone(CITY_ZONE).replace(tzinfo=None)
