"""Which encoding are these bytes in? A cascade without guesses: byte order mark, strict UTF-8 of the whole stream,
strict GB18030 of the whole stream, refusal.

Two things decode and are garbage all the same. UTF-16 without its mark is often right UTF-8 or GB18030: the zeros in
it tell it. A file of GB18030 rows with some rows of UTF-8 among them is often right GB18030: it is told by runs of
bytes that read as Chinese in UTF-8, which bytes of GB18030 do only by rare chance.

UTF-8 that was damaged (cut off in its last letter, say) is often right GB18030, as garbage. It is told by the Chinese
letters that UTF-8 reads before the damage, which bytes of GB18030 make only by rare chance.

Big5 and single-byte encodings of other scripts decode too, to letters that nobody uses: ``plausible`` tells them.

Detectors look at a part or at frequencies and are wrong on files that begin with 300 kB of ASCII; replacing what does
not decode publishes garbage. GB18030 holds all of GBK and GB2312, so that one name stands for the three.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import BinaryIO, Final

from ckanext.openhuizhou.errors import DecodingError
from ckanext.openhuizhou.transport.plausible import first_implausible

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (b"\x84\x31\x95\x33", "gb18030"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK: Final = 1 << 20
#: Letters that take three bytes in UTF-8, and how many of them are no chance any more.
_WIDE: Final = re.compile("[\u0800-\uffff]")
_ENOUGH: Final = 3
#: Bytes above ASCII side by side; such bytes that read as Chinese letters in UTF-8; and how many are no chance.
_RUN: Final = re.compile(rb"[\x80-\xff]{6,}")
_UTF8_RUN: Final = re.compile(rb"(?:[\xe3-\xe9\xef][\x80-\xbf]{2}){2,}")
_CERTAIN: Final = 12
_HIGH: Final = bytes(range(0x80, 0x100))
#: Vertical punctuation, and letters of the extensions of Unicode.
_MOVED: Final = str.maketrans(
    "\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793\ue794\ue795\ue796\ue81e\ue826\ue82b\ue82c\ue832\ue843\ue854\ue864"
    "\ue816\ue817\ue818\ue831\ue83b\ue855",
    "\ufe10\ufe12\ufe11\ufe13\ufe14\ufe15\ufe16\ufe17\ufe18\ufe19\u9fb4\u9fb5\u9fb6\u9fb7\u9fb8\u9fb9\u9fba\u9fbb"
    "\U00020087\U00020089\U000200cc\U000215d7\U0002298f\U000241fe",
)
_MOVED_ONE: Final = re.compile("[\ue78d-\ue864]")
_REFUSED: Final = "The bytes are in no accepted encoding (byte {offset})"


def detect(stream: BinaryIO) -> str:
    """The encoding of the whole stream, which is read to its end, twice at most, and left at its beginning.

    Raises:
        DecodingError: no accepted encoding fits; ``offset`` is where UTF-8 first fails.
    """
    start = stream.read(4)
    stream.seek(0)
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            _require(stream, encoding)
            return encoding
    utf8 = first_error(_chunks(stream), "utf-8")
    if utf8 is None:
        stream.seek(0)
        _refuse(_first_zero(_chunks(stream)))
        stream.seek(0)
        return "utf-8"
    stream.seek(0)
    if not _begins_as_utf8(_chunks(stream), utf8):
        stream.seek(0)
        if first_error(_chunks(stream), "gb18030") is None:
            stream.seek(0)
            _refuse(_first_zero(_chunks(stream)))
            stream.seek(0)
            _refuse(_first_utf8_run(_chunks(stream)))
            stream.seek(0)
            _refuse(first_implausible(_chunks(stream)))
            stream.seek(0)
            return "gb18030"
    raise DecodingError(_REFUSED, offset=utf8)


def decode(content: bytes) -> str:
    """The text of bytes that are in memory; a byte order mark is not part of it.

    Raises:
        DecodingError: as ``detect``.
    """
    stream = io.BytesIO(content)
    return content.decode(detect(stream)).removeprefix("\ufeff")


def head(stream: BinaryIO, encoding: str, length: int) -> str:
    """The text of the first ``length`` bytes, without a byte order mark; ``stream`` is left at its start."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    text = decoder.decode(stream.read(length))
    stream.seek(0)
    return (mended(text) if encoding == "gb18030" else text).removeprefix("\ufeff")


def mended(text: str) -> str:
    """Text that was decoded as GB18030, with the 24 characters in their place that the standard of 2022 moved out of
    the private area; the codec follows the one of 2000, and no font shows its answer."""
    return text.translate(_MOVED) if _MOVED_ONE.search(text) else text


def first_error(chunks: Iterable[bytes], encoding: str) -> int | None:
    """The offset of the first byte that is not in ``encoding``; None when all are. The last character must be whole."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    consumed = 0
    pending = 0
    for chunk, final in _with_end(chunks):
        try:
            decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            return consumed - pending + error.start
        consumed += len(chunk)
        pending = len(decoder.getstate()[0])
    return None


def _begins_as_utf8(chunks: Iterable[bytes], length: int) -> bool:
    """Whether the first ``length`` bytes, which are UTF-8, hold enough wide letters to be meant as UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    found = 0
    for chunk in chunks:
        part, length = chunk[:length], length - len(chunk)
        found += sum(1 for _letter in islice(_WIDE.finditer(decoder.decode(part)), _ENOUGH))
        if found >= _ENOUGH or length <= 0:
            break
    return found >= _ENOUGH


def _require(stream: BinaryIO, encoding: str) -> None:
    offset = first_error(_chunks(stream), encoding)
    stream.seek(0)
    _refuse(offset)


def _refuse(offset: int | None) -> None:
    if offset is not None:
        raise DecodingError(_REFUSED, offset=offset)


def _first_zero(chunks: Iterable[bytes]) -> int | None:
    """Where a zero byte stands, which is in no text."""
    consumed = 0
    for chunk in chunks:
        if (place := chunk.find(0)) >= 0:
            return consumed + place
        consumed += len(chunk)
    return None


def _first_utf8_run(chunks: Iterable[bytes]) -> int | None:
    """Where GB18030 has rows of UTF-8 among its own.

    A run that reads as four Chinese letters of UTF-8 is none of GB18030; shorter ones may be a chance, unless there are
    several and they are not one in ten thousand.
    """
    consumed, runs, short, first = 0, 0, 0, None
    tail = b""
    for chunk, final in _with_end(chunks):
        part = tail + chunk
        # the last run may go on in the next chunk
        keep = 0 if final else len(part) - len(part.rstrip(_HIGH))
        tail = part[len(part) - keep :] if keep < _CHUNK else b""
        part = part[: len(part) - len(tail)]
        for run in _RUN.finditer(part):
            runs += 1
            if _UTF8_RUN.fullmatch(run[0]):
                if len(run[0]) >= _CERTAIN:
                    return consumed + run.start()
                short, first = short + 1, consumed + run.start() if first is None else first
        consumed += len(part)
    return first if short >= _ENOUGH and short * 10_000 >= runs else None


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk


def _with_end(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    for chunk in chunks:
        yield chunk, False
    yield b"", True
