"""A table as a Parquet file, typed by its items, in one pass over its rows and with flat memory.

Cells come as the published CSV file has them (``domain.cell_types``): canonical texts, None for NULL. Types of the
file: ``string`` for texts, ``int64``, ``decimal128`` (as exact as the figures are), ``date32``,
``timestamp[us, tz=Asia/Shanghai]``, ``bool``. Numbers with more than 38 digits have no exact Arrow type: such a
column stays text. Each field's metadata tells label, unit and description.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from ckanext.openhuizhou.domain.items import Item

#: Its functions are made when it is imported.
pc: Any = pyarrow.compute

Batch = Sequence[Sequence[str | None]]

#: Rows that are compressed together: a reader may skip a group, a writer holds one.
GROUP_ROWS: Final = 50_000
ZONE: Final = "Asia/Shanghai"
#: Digits of the widest decimal that readers of Parquet know.
_DIGITS: Final = 38
_NUMBERS: Final = frozenset({"number", "currency"})
_TYPES: Final[dict[str, pa.DataType]] = {
    "integer": pa.int64(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us", tz=ZONE),
    "boolean": pa.bool_(),
}
_OF_TEXT: Final[dict[str, Callable[[str], Any]]] = {
    "integer": int,
    "number": Decimal,
    "currency": Decimal,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
}


def write_parquet(path: Path, columns: Sequence[Item], batches: Iterable[Batch]) -> int:
    """Write the rows of ``batches`` (cells in the order of ``columns``) to ``path``. Returns the number of rows.

    How many digits a decimal column needs is known only after its last row: rows are laid down as texts first, in a
    file without a name, and typed in a second reading of it.
    """
    texts = pa.schema([(item.column, pa.string()) for item in columns])
    digits = {item.column: _Digits() for item in columns if item.data_type in _NUMBERS}
    with TemporaryFile(dir=path.parent) as laid_down:
        rows = _lay_down(laid_down, texts, batches, digits)
        laid_down.seek(0)
        schema = pa.schema([_field(item, digits.get(item.column)) for item in columns])
        with _reader(laid_down) as reader, pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for group in _groups(reader):
                arrays = [
                    _typed(array, item.data_type, field.type)
                    for array, item, field in zip(group.columns, columns, schema, strict=True)
                ]
                writer.write_table(pa.table(arrays, schema=schema), row_group_size=GROUP_ROWS * 2)
    return rows


class _Digits:
    """How many digits the numbers of a column have before and after the point."""

    def __init__(self) -> None:
        self.whole = 1
        self.scale = 0

    def see(self, array: pa.Array) -> None:
        for text in _extremes(array):
            sign, figures, exponent = Decimal(text).as_tuple()
            assert isinstance(exponent, int), "the loader refuses infinity"
            del sign
            self.whole = max(self.whole, len(figures) + exponent)
            self.scale = max(self.scale, -exponent)

    @property
    def type(self) -> pa.DataType:
        if self.whole + self.scale > _DIGITS:
            return pa.string()
        return pa.decimal128(self.whole + self.scale, self.scale)


def _extremes(array: pa.Array) -> Iterator[str]:
    """Of plain decimals the ones with most digits before and after the point; of other spellings all."""
    plain = pc.match_substring_regex(array, r"^-?[0-9]+(\.[0-9]+)?$")
    yield from (text for text in array.filter(pc.invert(plain)).to_pylist() if text is not None)
    plain_texts = pc.ascii_ltrim(array.filter(plain), "-")
    if not len(plain_texts):
        return
    length = pc.binary_length(plain_texts)
    point = pc.find_substring(plain_texts, ".")
    whole = pc.if_else(pc.equal(point, -1), length, point)
    for measure in (whole, pc.if_else(pc.equal(point, -1), 0, pc.subtract(length, point))):
        yield plain_texts[pc.index(measure, pc.max(measure)).as_py()].as_py()


def _lay_down(target: IO[bytes], schema: pa.Schema, batches: Iterable[Batch], digits: dict[str, _Digits]) -> int:
    rows = 0
    with pa.ipc.new_stream(pa.PythonFile(target, mode="w"), schema) as writer:
        for batch in batches:
            arrays = [pa.array(column, pa.string()) for column in zip(*batch, strict=True)]
            for name, array in zip(schema.names, arrays, strict=False):  # an empty batch has no columns
                if name in digits:
                    digits[name].see(array)
            if arrays:
                writer.write_batch(pa.record_batch(arrays, schema=schema))
            rows += len(batch)
    return rows


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    group: list[pa.RecordBatch] = []
    for batch in batches:
        group.append(batch)
        if sum(part.num_rows for part in group) >= GROUP_ROWS:
            yield pa.Table.from_batches(group)
            group = []
    if group:
        yield pa.Table.from_batches(group)


@contextmanager
def _reader(source: IO[bytes]) -> Iterator[pa.RecordBatchReader]:
    with pa.ipc.open_stream(pa.PythonFile(source, mode="r")) as reader:
        yield reader


def _field(item: Item, digits: _Digits | None) -> pa.Field:
    type_ = digits.type if digits else _TYPES.get(item.data_type, pa.string())
    said = {"label": item.name, "unit": item.unit, "description": item.description}
    return pa.field(item.column, type_, metadata={key: value for key, value in said.items() if value})


def _typed(array: pa.ChunkedArray, data_type: str, type_: pa.DataType) -> pa.ChunkedArray | pa.Array:
    """Arrow reads what is spelled as usual; the rest (``+5``, ``1e3``, offsets with seconds) Python does."""
    if pa.types.is_string(type_):
        return array
    try:
        return pc.cast(array, type_)
    except pa.ArrowInvalid:
        of_text = _OF_TEXT[data_type]
        return pa.array([None if text is None else of_text(text) for text in array.to_pylist()], type_)
