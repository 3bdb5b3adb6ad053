"""The reader of the project's YAML files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ckanext.openhuizhou.domain.departments import read_departments
from ckanext.openhuizhou.domain.licences import read_licences
from ckanext.openhuizhou.domain.targets import read_targets
from ckanext.openhuizhou.domain.themes import read_themes
from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.schemas.code_lists import read_code_list
from ckanext.openhuizhou.schemas.yaml_file import read_yaml


def test_reads_what_stands_there(tmp_path: Path):
    (tmp_path / "a.yaml").write_text("名称: [1, 二]", "utf-8")
    assert read_yaml(tmp_path / "a.yaml") == {"名称": [1, "二"]}


@pytest.mark.parametrize(
    "content", [None, b"a: [", "名称: 1".encode("gb18030")], ids=["missing", "cut off", "GB 18030"]
)
@pytest.mark.parametrize(
    "reader", [read_yaml, read_departments, read_licences, read_targets, read_themes, read_code_list]
)
def test_each_reader_names_the_file_that_it_cannot_read(
    tmp_path: Path, reader: Callable[[Path], Any], content: bytes | None
):
    path = tmp_path / "wrong.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"wrong\.yaml cannot be read"):
        reader(path)
