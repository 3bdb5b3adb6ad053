"""Files that would take all memory or never end, and files that are broken: each refuses its own record.

What takes memory is read in a process of its own, so that what it took can be measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ckanext.openhuizhou.data.workbook_child import MOST_MEMORY
from ckanext.openhuizhou.errors import SourceMalformed

READER = "tests.unit.harvesters.sources.read_in_process"
PROJECT = Path(__file__).parents[4]
#: MiB that a reader may take beyond what it has before it reads anything.
FLAT = 60
SHEET_NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def measured(kind: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", READER, kind, str(folder)]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True, cwd=PROJECT).stdout)


def workbook(path: Path, rows: Any, shared: list[str] | None = None) -> None:
    """A workbook written by hand, part by part, of any size. ``rows``: the XML of rows, piece by piece."""
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{RELS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{RELS}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{RELS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {SHEET_NS} xmlns:r="{RELS}"><sheets>'
        '<sheet name="表" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/sharedStrings.xml": f"<sst {SHEET_NS}>" + "".join(f"<si><t>{t}</t></si>" for t in shared or []) + "</sst>",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(f"<worksheet {SHEET_NS}><sheetData>".encode())
            for piece in rows:
                sheet.write(piece.encode())
            sheet.write(b"</sheetData></worksheet>")


def header(*names: str) -> str:
    cells = "".join(f'<c r="{chr(65 + n)}1" t="inlineStr"><is><t>{name}</t></is></c>' for n, name in enumerate(names))
    return f'<row r="1">{cells}</row>'


class TestWorkbooks:
    def test_one_gigabyte_of_zeros_is_refused(self, tmp_path: Path):
        workbook(tmp_path / "a.xlsx", ("\0" * (1 << 24) for _ in range(64)))
        found = measured("excel", tmp_path)
        assert found["findings"] == ["workbook-too-large"]
        assert found["memory"] < FLAT
        assert found["child"] < 200

    def test_one_long_text_in_very_many_cells_is_refused(self, tmp_path: Path):
        """A megabyte on the disk, 19 gigabytes for a reader that gives each cell its own text."""
        rows = ("".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(a, a + 10_000))
                for a in range(1, 200_001, 10_000))  # fmt: skip
        workbook(tmp_path / "a.xlsx", rows, ["文" * 32_000])
        found = measured("excel", tmp_path)
        assert found["findings"] == ["workbook-too-large"]
        assert found["memory"] < FLAT
        assert found["child"] * (1 << 20) < MOST_MEMORY

    def test_a_large_honest_one_is_read_with_flat_memory(self, tmp_path: Path):
        def rows() -> Any:
            yield header("编号", "读数", "站点")
            for n in range(2, 100_002):
                cell = f'<c r="C{n}" t="inlineStr"><is><t>站点{n}</t></is></c>'
                yield f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}"><v>1.5</v></c>{cell}</row>'

        workbook(tmp_path / "a.xlsx", rows())
        found = measured("excel", tmp_path)
        assert (found["findings"], found["rows"]) == ([], 100_000)
        assert found["memory"] < FLAT

    def test_merged_ranges_that_lie_over_one_another_are_refused(self, read: Any, table: Any, tmp_path: Path):
        path = tmp_path / "a.xlsx"
        workbook(path, [header("甲", "乙"), '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>2</v></c></row>'])
        ranges = "".join(f'<mergeCell ref="A1:B{n}"/>' for n in range(3, 20_000))
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        end = b"</worksheet>"
        sheet = parts["xl/worksheets/sheet1.xml"]
        sheet = sheet.replace(end, f"<mergeCells>{ranges}</mergeCells>".encode() + end)
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in (parts | {"xl/worksheets/sheet1.xml": sheet}).items():
                archive.writestr(name, content)
        (record,) = read("excel", {"url": str(tmp_path)})
        assert [finding.kind for finding in record.findings] == ["record-unreadable"]

    @pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
    def test_one_that_was_cut_off_is_refused(self, read: Any, tmp_path: Path, part: float):
        workbook(tmp_path / "b.xlsx", [header("甲", "乙")])
        whole = (tmp_path / "b.xlsx").read_bytes()
        (tmp_path / "a.xlsx").write_bytes(whole[: int(len(whole) * part)])
        broken, good = read("excel", {"url": str(tmp_path)})
        assert [finding.kind for finding in broken.findings] == ["record-unreadable"]
        assert not good.findings

    def test_entities_that_expand_do_not(self, read: Any, tmp_path: Path):
        entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
        bomb = f'<!DOCTYPE w [<!ENTITY a0 "aaaaaaaaaa">{entities}]><worksheet {SHEET_NS}><sheetData>'
        workbook(tmp_path / "a.xlsx", [header("甲", "乙")])
        with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        cell = '<row r="1"><c r="A1" t="inlineStr"><is><t>&a11;</t></is></c></row></sheetData></worksheet>'
        with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
            for name, content in (parts | {"xl/worksheets/sheet1.xml": (bomb + cell).encode()}).items():
                archive.writestr(name, content)
        (record,) = read("excel", {"url": str(tmp_path)})
        assert {finding.kind for finding in record.findings} <= {"record-unreadable", "header-not-found"}
        assert record.findings

    def test_a_catalogue_that_is_a_bomb_fails_its_source(self, tmp_path: Path):
        workbook(tmp_path / "a.xlsx", ("\0" * (1 << 24) for _ in range(33)))
        found = measured("catalogue-template", tmp_path)
        assert "a.xlsx" in found["error"]
        assert found["memory"] < FLAT


class TestTexts:
    def test_a_line_of_hundreds_of_megabytes_is_refused(self, tmp_path: Path):
        with (tmp_path / "a.csv").open("wb") as file:
            file.write("站点,读数\r\n".encode())
            for _ in range(300):
                file.write(b"x," * (1 << 19))
        found = measured("csv", tmp_path)
        assert found["findings"] == ["row-too-long"]
        assert found["memory"] < FLAT

    def test_a_header_without_end_is_refused(self, tmp_path: Path):
        with (tmp_path / "a.csv").open("wb") as file:
            for _ in range(100):
                file.write(b"x," * (1 << 19))
        found = measured("csv", tmp_path)
        assert found["findings"] == ["row-too-long"]
        assert found["memory"] < FLAT

    def test_a_row_of_very_many_quoted_lines_is_refused(self, tmp_path: Path):
        with (tmp_path / "a.csv").open("wb") as file:
            file.write(b"a,b\r\n")
            for _ in range(100):
                file.write(b'"\n",' * (1 << 18))
        found = measured("csv", tmp_path)
        assert found["findings"] == ["row-too-long"]
        assert found["memory"] < FLAT

    def test_a_large_honest_one_is_read_with_flat_memory(self, tmp_path: Path):
        with (tmp_path / "a.csv").open("wb") as file:
            file.write("站点,读数\r\n".encode("gb18030"))
            for _ in range(100):
                file.write("惠城区,1.5\r\n".encode("gb18030") * 10_000)
        found = measured("csv", tmp_path)
        assert (found["findings"], found["rows"]) == ([], 1_000_000)
        assert found["memory"] < FLAT

    def test_ten_thousand_columns_are_refused(self, read: Any, tmp_path: Path):
        (tmp_path / "a.csv").write_text(",".join(f"c{n}" for n in range(10_000)) + "\r\n")
        (record,) = read("csv", {"url": str(tmp_path)})
        assert [(finding.kind, finding.params["count"]) for finding in record.findings] == [
            ("columns-too-many", 10_000)
        ]

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"a,b\r\n1,\0\r\n", "encoding-unknown"),
            ("站点,读数\r\n".encode("utf-16-le"), "encoding-unknown"),
            ("站点,读数\r\n惠城区江北街道,1\r\n".encode() + "博罗,2\r\n".encode("gb18030"), "encoding-unknown"),
            ("站点,读数\r\n博罗,2\r\n".encode("gb18030") + "惠城区江北街道,1\r\n".encode(), "encoding-unknown"),
            ("站点,读数\r\n惠城区江北街道,1\r\n".encode()[:-6], "encoding-unknown"),
            (b"", "header-not-found"),
            (b"\r\n\r\n", "header-not-found"),
        ],
        ids=["zeros", "UTF-16", "UTF-8 then GB18030", "GB18030 then UTF-8", "cut in a letter", "empty", "empty lines"],
    )
    def test_what_is_no_text_of_one_encoding_is_refused(self, read: Any, tmp_path: Path, content: bytes, expected: str):
        (tmp_path / "a.csv").write_bytes(content)
        (record,) = read("csv", {"url": str(tmp_path)})
        assert [finding.kind for finding in record.findings] == [expected]

    def test_utf16_with_its_mark_is_read(self, read: Any, table: Any, tmp_path: Path):
        (tmp_path / "a.csv").write_bytes("站点,读数\r\n惠城,1\r\n".encode("utf-16"))
        (record,) = read("csv", {"url": str(tmp_path)})
        assert table(record) == [{"站点": "惠城", "读数": "1"}]

    def test_very_many_equal_headers_get_numbers_in_time(self, read: Any, tmp_path: Path):
        (tmp_path / "a.csv").write_text(",".join(["a"] * 2000) + "\r\n")
        (record,) = read("csv", {"url": str(tmp_path)})
        names = [column["name"] for column in record.payload["columns"]]
        assert (names[:3], names[-1], len(set(names))) == (["a", "a_2", "a_3"], "a_2000", 2000)


class TestManifests:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("list.csv", b"\xff\xff"),
            ("list.json", b"[" * 100_000),
            ("list.json", b'"text"'),
            ("list.json", b"[1, 2]"),
            ("list.xlsx", b"PK\x03\x04"),
            ("list.csv", b"x" * (17 << 20)),
        ],
    )
    def test_that_cannot_be_read_fail_the_source(self, read: Any, tmp_path: Path, name: str, content: bytes):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SourceMalformed):
            read("csv", {"url": str(tmp_path), "manifest": name})
