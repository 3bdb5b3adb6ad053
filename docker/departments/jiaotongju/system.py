"""市交通运输局: an XML web service of the old kind.

``GET /services/Exchange/resourceList?pageNo=&pageSize=`` and ``…/resourceData?resourceId=&pageNo=&pageSize=`` answer in
a SOAP 1.1 envelope; the same operations come as a SOAP request in a POST to ``/services/Exchange``. Pages count from 1.
An empty element means no value, and flags are 1 and 0.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from common.datasets import Dataset, Department
from common.server import Reply, Request
from common.store import RowStore, build_sqlite

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICE = "http://exchange.jiaotongju.example/"
XML = "text/xml; charset=utf-8"
PATH = "/services/Exchange"
MAX_SIZE = 10_000
#: What XML 1.0 cannot hold.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def build(department: Department, folder: Path) -> None:
    """Fill the store."""
    build_sqlite(department, folder)


class XmlService:
    """Answers two operations from the store."""

    def __init__(self, department: Department, folder: Path) -> None:
        self._datasets = {dataset.key: dataset for dataset in department.datasets}
        self._store = RowStore(folder)
        self._operations = {"resourceList": self._list, "resourceData": self._data}

    def answer(self, request: Request) -> Reply:
        if request.method == "POST" and request.path == PATH:
            operation, arguments = _soap_call(request.body)
        else:
            base, _, operation = request.path.rpartition("/")
            if base != PATH:
                raise LookupError(request.path)
            arguments = request.query
        return self._operations[operation](arguments)

    def refuse(self, status: HTTPStatus, text: str) -> Reply:
        side = "Server" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "Client"
        fault = f"<soap:Fault><faultcode>soap:{side}</faultcode><faultstring>{escape(text)}</faultstring></soap:Fault>"
        return Reply(_envelope(fault), XML, status=status)

    def _list(self, arguments: dict[str, str]) -> Reply:
        page, size = _paging(arguments, default=20)
        listed = list(self._datasets.values())[(page - 1) * size : page * size]
        body = "".join(self._resource(dataset) for dataset in listed)
        newest = max(_modified(dataset) for dataset in self._datasets.values())
        return Reply(_response("resourceList", len(self._datasets), page, size, body), XML, modified=newest)

    def _resource(self, dataset: Dataset) -> str:
        told = {
            **dataset.metadata,
            "RecordCount": self._store.count(dataset.key),
            "Checksum": self._store.digest(dataset.key),
        }
        elements = "".join(f"<{name}>{_text(value)}</{name}>" for name, value in told.items())
        fields = "".join(
            "<field " + " ".join(f"{name}={quoteattr(str(value))}" for name, value in column.items()) + "/>"
            for column in dataset.columns
        )
        return f"<resource id={quoteattr(dataset.key)}>{elements}<fields>{fields}</fields></resource>"

    def _data(self, arguments: dict[str, str]) -> Reply:
        dataset = self._datasets[arguments["resourceId"]]
        page, size = _paging(arguments, default=1000)
        names = [column["code"] for column in dataset.columns]
        rows = "".join(
            "<row>"
            + "".join(f"<{name}>{_text(cell)}</{name}>" for name, cell in zip(names, row, strict=True))
            + "</row>"
            for row in self._store.page(dataset, page, size)
        )
        body = _response("resourceData", self._store.count(dataset.key), page, size, rows)
        version = f"{self._store.digest(dataset.key)}/{page}/{size}"
        return Reply(body, XML, version=version, modified=_modified(dataset))


def application(department: Department, folder: Path) -> XmlService:
    """The service over a filled folder."""
    return XmlService(department, folder)


def _soap_call(body: bytes) -> tuple[str, dict[str, str]]:
    """The operation's name and arguments of a SOAP request; prefixes do not matter."""
    if b"<!DOCTYPE" in body:
        raise ValueError("不接受DTD")
    try:
        envelope = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise ValueError(f"XML格式错误（{error}）") from error
    call = envelope.find(f"{{{SOAP}}}Body/*")
    if call is None:
        raise ValueError("缺少soap:Body")
    return _local(call.tag), {_local(child.tag): (child.text or "").strip() for child in call}


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _paging(arguments: dict[str, str], default: int) -> tuple[int, int]:
    page, size = int(arguments.get("pageNo", 1)), int(arguments.get("pageSize", default))
    if page < 1 or not 1 <= size <= MAX_SIZE:
        raise ValueError(f"pageNo≥1，1≤pageSize≤{MAX_SIZE}")
    return page, size


def _modified(dataset: Dataset) -> datetime:
    return datetime.fromisoformat(dataset.metadata["UpdateTime"]).astimezone(UTC)


def _text(value: object) -> str:
    return "" if value is None else _FORBIDDEN.sub("", escape(str(value)))


def _response(operation: str, total: int, page: int, size: int, body: str) -> bytes:
    head = (
        f"<code>0</code><message>成功</message><total>{total}</total><pageNo>{page}</pageNo><pageSize>{size}</pageSize>"
    )
    answer = (
        f"<ex:{operation}Response xmlns:ex={quoteattr(SERVICE)}><return>{head}{body}</return></ex:{operation}Response>"
    )
    return _envelope(answer)


def _envelope(body: str) -> bytes:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f"{head}<soap:Envelope xmlns:soap={quoteattr(SOAP)}><soap:Body>{body}</soap:Body></soap:Envelope>".encode()
