"""Files of whole tables: made once, by one, of the table that is live; gone when it is."""

from __future__ import annotations

import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from ckan.lib import jobs

from ckanext.openhuizhou.data import datastore_tables, derive, export_files, tables
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.exports import formats, store
from ckanext.openhuizhou.model import table_export

ITEMS = [Item("词", "word", "string"), Item("数", "n", "integer")]
JSON = formats.FORMATS["json"]


def mark(resource_id):
    return datastore_tables.live_mark(resource_id)


def names(resource_id):
    return [path.name for path in export_files.files_of(resource_id)]


class TestMake:
    def test_the_row_tells_what_the_file_is(self, published):
        resource_id = published(ITEMS, [["甲", 1], ["乙", 2]])
        made = store.make(resource_id, "json")
        assert (made.rows, made.size_bytes) == (2, made.path.stat().st_size)
        assert made.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()
        assert store.whole(resource_id, mark(resource_id), JSON) == made
        assert names(resource_id) == [made.path.name]

    def test_is_made_once_however_many_ask(self, published):
        resource_id = published(ITEMS, [["甲", number] for number in range(3000)])
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda _: store.make(resource_id, "jsonl"), range(4)))
        assert len({one.path.stat().st_ino for one in made}) == 1
        assert len(set(made)) == 1

    def test_csv_is_the_published_file_itself(self, published):
        resource_id = published(ITEMS, [["甲", 1]])
        found = store.wholes(resource_id, mark(resource_id))["csv"]
        assert hashlib.sha256(found.path.read_bytes()).hexdigest() == found.sha256 == mark(resource_id)["digest"]

    @pytest.mark.parametrize("resource_id", ["00000000-0000-0000-0000-000000000000"])
    def test_of_no_table_there_is_no_file(self, with_plugins, resource_id):
        assert store.make(resource_id, "json") is None

    def test_a_format_that_does_not_fit_is_not_made(self, published):
        assert store.make(published(ITEMS, [["甲", 1]]), "geojson") is None

    def test_a_file_that_was_deleted_by_hand_is_made_again(self, published):
        resource_id = published(ITEMS, [["甲", 1]])
        store.make(resource_id, "json").path.unlink()
        assert store.whole(resource_id, mark(resource_id), JSON) is None
        assert store.make(resource_id, "json").path.exists()

    def test_what_fails_leaves_nothing(self, published, monkeypatch):
        resource_id = published(ITEMS, [["甲", 1]])

        def broken(rows):
            yield b"half"
            raise OSError("no room")

        monkeypatch.setitem(formats.FORMATS, "json", formats.Format("json", "JSON", ".json", "x", broken))
        with pytest.raises(OSError, match="no room"):
            store.make(resource_id, "json")
        assert names(resource_id) == []
        assert table_export.exports_of(resource_id) == {}


class TestNextLoad:
    def test_another_load_makes_another_file(self, published):
        resource_id = published(ITEMS, [["甲", 1]])
        first = store.make(resource_id, "json")
        published(ITEMS, [["乙", 2]], resource_id)
        assert store.whole(resource_id, mark(resource_id), JSON) is None
        second = store.make(resource_id, "json")
        assert (first.path.exists(), "乙" in second.path.read_text()) == (True, True)

    def test_another_dictionary_makes_another_file_though_the_rows_are_the_same(self, published):
        resource_id = published(ITEMS, [["甲", 1]])
        store.make(resource_id, "json")
        published([ITEMS[0], Item("数", "n", "integer", unit="个")], [["甲", 1]], resource_id)
        assert store.whole(resource_id, mark(resource_id), JSON) is None

    def test_formats_that_were_asked_for_are_made_anew_in_the_background(self, published):
        resource_id = published(ITEMS, [["甲", 1]])
        old = store.make(resource_id, "json")
        published(ITEMS, [["乙", 2]], resource_id)
        assert ("exports", store.refresh) in derive.STEPS
        store.refresh(resource_id)
        assert set(store.wholes(resource_id, mark(resource_id))) == {"csv", "json"}
        assert old.path.exists()  # somebody may be resuming it

    def test_old_files_go_after_a_day(self, published):
        resource_id = published(ITEMS, [["甲", 1]])
        old = store.make(resource_id, "json").path
        published(ITEMS, [["乙", 2]], resource_id)
        new = store.make(resource_id, "json").path
        yesterday = time.time() - 25 * 3600
        for path in (old, new):
            os.utime(path, (yesterday, yesterday))
        assert store.prune() >= 1
        assert (old.exists(), new.exists()) == (False, True)

    def test_with_the_table_go_files_and_rows(self, published):
        resource_id = published(ITEMS, [["甲", 1]])
        store.make(resource_id, "json")
        tables.drop_table(resource_id)
        assert (names(resource_id), table_export.exports_of(resource_id)) == ([], {})


class TestBackground:
    def test_a_worker_is_asked_once(self, published):
        resource_id = published(ITEMS, [["甲", 1]])
        store.ask_for(resource_id, "json")
        store.ask_for(resource_id, "json")
        queue = jobs.get_queue()
        asked = [job for job in queue.get_jobs() if job.args == [resource_id, "json"]]
        assert len(asked) == 1
        asked[0].perform()
        asked[0].delete()
        assert "json" in store.wholes(resource_id, mark(resource_id))
