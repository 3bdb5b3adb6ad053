"""Solr's cores: ours, and one with CKAN's own schema for each plain site of the demo."""

from __future__ import annotations

from pathlib import Path

import pytest

from ckanext.openhuizhou.stack import solr
from ckanext.openhuizhou.stack.layout import Layout, project_root


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(project_root(), tmp_path / "data", 5000)
    made.create()
    return made


def test_the_demos_portal_has_a_core_with_ckans_own_schema(layout: Layout):
    ours, huidong = solr.cores(layout)
    assert (ours.name, huidong.name) == ("openhuizhou", "huidong")
    solr.lay_out(layout, huidong)
    schema = (layout.solr / "home" / "huidong" / "conf" / "schema.xml").read_text("utf-8")
    assert 'name="ckan-2.12"' in schema
    assert "item_names" not in schema


def test_a_core_is_laid_out_once_and_leaves_the_others_alone(layout: Layout):
    ours, huidong = solr.cores(layout)
    assert solr.outdated(layout, ours)
    solr.lay_out(layout, ours)
    index = layout.solr / "data" / "openhuizhou"
    index.mkdir(parents=True)
    solr.lay_out(layout, huidong)
    assert not solr.outdated(layout, ours)
    assert not solr.outdated(layout, huidong)
    assert index.is_dir()
    assert (layout.solr / "home" / "openhuizhou" / "core.properties").read_text("ascii") == "name=openhuizhou\n"


def test_another_configuration_empties_the_index(layout: Layout, tmp_path: Path):
    ours = solr.our_core(layout)
    solr.lay_out(layout, ours)
    index = layout.solr / "data" / "openhuizhou"
    index.mkdir(parents=True)
    other = tmp_path / "stopwords.txt"
    other.write_text("x", "ascii")
    changed = solr.Core(ours.name, {**ours.files, "conf/stopwords.txt": other})
    assert solr.outdated(layout, changed)
    solr.lay_out(layout, changed)
    assert not index.exists()
    assert not solr.outdated(layout, changed)
