from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ckanext.openhuizhou.errors import RecordRefused, SourceMalformed, SourceUnreachable

MANIFEST = "编号,文件名,名称\r\nA-1,养老机构.csv,养老机构\r\n"


def drop(folder: Path, text: str = "机构,床位\r\n甲院,12\r\n乙院,\r\n", encoding: str = "gb18030") -> dict[str, Any]:
    (folder / "养老机构.csv").write_bytes(text.encode(encoding))
    (folder / "manifest.csv").write_bytes(MANIFEST.encode("gb18030"))
    return {"url": str(folder), "manifest": "manifest.csv", "key": "编号"}


class TestFiles:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
    def test_are_read_in_their_own_encoding(self, read: Any, table: Any, tmp_path: Path, encoding: str):
        (record,) = read("csv", drop(tmp_path, encoding=encoding))
        assert record.payload["名称"] == "养老机构"
        assert table(record) == [{"机构": "甲院", "床位": "12"}, {"机构": "乙院", "床位": ""}]

    def test_chinese_after_300_kilobytes_of_ascii_and_rare_letters(self, read: Any, table: Any, tmp_path: Path):
        text = "id,name\r\n" + "12345678,abcdefgh\r\n" * 20_000 + "1,㛃㙍𠮷村\r\n"
        (record,) = read("csv", drop(tmp_path, text))
        assert table(record)[-1] == {"id": "1", "name": "㛃㙍𠮷村"}

    def test_a_file_in_no_encoding_refuses_its_record_only(self, read: Any, tmp_path: Path):
        config = drop(tmp_path)
        (tmp_path / "养老机构.csv").write_bytes("机构,床位\r\n甲院,12\r\n".encode("gb18030") + b"\xff\xff\r\n")
        (record,) = read("csv", config)
        assert [finding.kind for finding in record.findings] == ["encoding-unknown"]

    @pytest.mark.parametrize("delimiter", ["\t", ";", "|"])
    def test_the_delimiter_is_found(self, read: Any, table: Any, tmp_path: Path, delimiter: str):
        (record,) = read("csv", drop(tmp_path, f"机构{delimiter}床位\r\n甲院{delimiter}12\r\n"))
        assert table(record) == [{"机构": "甲院", "床位": "12"}]

    def test_quotes_hold_line_ends_and_delimiters(self, read: Any, table: Any, tmp_path: Path):
        (record,) = read("csv", drop(tmp_path, '机构,地址\r\n甲院,"惠城区,\r\n""江北"""\r\n\r\n'))
        assert table(record) == [{"机构": "甲院", "地址": '惠城区,\r\n"江北"'}]

    def test_a_row_of_another_width_refuses_the_table(self, read: Any, table: Any, tmp_path: Path):
        (record,) = read("csv", drop(tmp_path, "机构,床位\r\n甲院,12\r\n乙院,1,2\r\n"))
        with pytest.raises(RecordRefused) as error:
            table(record)
        assert [(f.kind, f.row, f.params["count"]) for f in error.value.findings] == [("row-width", 3, 3)]

    def test_a_quote_that_is_never_closed_refuses_the_table(self, read: Any, table: Any, tmp_path: Path):
        (record,) = read("csv", drop(tmp_path, '机构,床位\r\n"甲院,12\r\n'))
        with pytest.raises(RecordRefused):
            table(record)

    def test_the_header_may_stand_lower(self, read: Any, table: Any, tmp_path: Path):
        config = drop(tmp_path, "养老机构一览\r\n机构,床位\r\n甲院,12\r\n") | {"header": 2}
        (record,) = read("csv", config)
        assert table(record) == [{"机构": "甲院", "床位": "12"}]

    def test_an_empty_file_refuses_its_record(self, read: Any, tmp_path: Path):
        (record,) = read("csv", drop(tmp_path, ""))
        assert [finding.kind for finding in record.findings] == ["header-not-found"]


class TestFolder:
    def test_an_unchanged_file_is_not_read_again(self, read: Any, tmp_path: Path):
        config = drop(tmp_path)
        (first,) = read("csv", config)
        path = tmp_path / "养老机构.csv"
        path.chmod(0)  # root reads it all the same, so its bytes are changed behind its size and time as well
        stat = path.stat()
        path.write_bytes(b"x" * stat.st_size)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        (again,) = read("csv", config, {"A-1": first.state})
        assert again.data_digest == first.data_digest
        assert again.payload == first.payload

    def test_another_time_with_the_same_bytes_is_no_change(self, read: Any, tmp_path: Path):
        config = drop(tmp_path)
        (first,) = read("csv", config)
        os.utime(tmp_path / "养老机构.csv", (1, 1))
        (again,) = read("csv", config, {"A-1": first.state})
        assert again.data_digest == first.data_digest

    def test_without_a_manifest_each_file_is_a_record(self, read: Any, tmp_path: Path):
        config = drop(tmp_path)
        records = read("csv", {"url": config["url"], "pattern": "*机构.csv"})
        assert [record.key for record in records] == ["养老机构.csv"]

    def test_a_manifest_may_be_json(self, read: Any, tmp_path: Path):
        drop(tmp_path)
        (tmp_path / "list.json").write_text('{"数据": [{"编号": "A-1", "文件名": "养老机构.csv"}]}', "utf-8")
        (record,) = read("csv", {"url": str(tmp_path), "manifest": "list.json", "key": "编号"})
        assert record.key == "A-1"

    @pytest.mark.parametrize("name", ["../secret.csv", "/etc/passwd", "sub/../../secret.csv", "长" * 300])
    def test_a_manifest_does_not_lead_out_of_the_folder(self, read: Any, tmp_path: Path, name: str):
        root = tmp_path / "drop"
        root.mkdir()
        (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
        (root / "manifest.csv").write_text(f"编号,文件名\nA-1,{name}\n")
        (record,) = read("csv", {"url": str(root), "manifest": "manifest.csv", "key": "编号"})
        assert [finding.kind for finding in record.findings] == ["file-missing"]

    def test_a_name_that_no_file_can_have_concerns_its_record_only(self, read: Any, tmp_path: Path):
        drop(tmp_path)
        rows = [{"编号": "A-1", "文件名": "a\0.csv"}, {"编号": "A-2", "文件名": "养老机构.csv"}]
        (tmp_path / "list.json").write_text(json.dumps(rows), "utf-8")
        first, second = read("csv", {"url": str(tmp_path), "manifest": "list.json", "key": "编号"})
        assert [finding.kind for finding in first.findings] == ["file-missing"]
        assert not second.findings

    def test_a_folder_or_manifest_that_is_not_there_fails_the_source(self, read: Any, tmp_path: Path):
        with pytest.raises(SourceUnreachable):
            read("csv", {"url": str(tmp_path / "none")})
        with pytest.raises(SourceMalformed):
            read("csv", {"url": str(tmp_path), "manifest": "none.csv"})
