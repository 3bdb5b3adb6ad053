"""Titles are taken once per provider, codes are given out once, whoever comes at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan import model

from ckanext.openhuizhou.domain.catalogue_code import CatalogueCode
from ckanext.openhuizhou.model import catalogue

Values = Callable[..., dict[str, Any]]
AT_ONCE = 8


@pytest.fixture
def together(site: Any) -> Iterator[Callable[[Callable[[int], Any]], list[Any]]]:
    """``together(work)`` runs ``work(0)`` to ``work(7)`` in threads that begin at the same moment."""
    barrier = threading.Barrier(AT_ONCE)

    def begin(work: Callable[[int], Any], number: int) -> Any:
        barrier.wait(timeout=30)
        try:
            return work(number)
        except tk.ValidationError as error:
            return error
        finally:
            model.Session.remove()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield lambda work: [task.result() for task in [pool.submit(begin, work, n) for n in range(AT_ONCE)]]


class TestAssignCode:
    def test_gives_eight_at_once_eight_numbers_without_a_gap(self, site: Any, together: Any):
        def take(number: int) -> list[CatalogueCode]:
            return [catalogue.assign_code("207001", f"package-{number}-{each}") for each in range(25)]

        taken = [code for codes in together(take) for code in codes]
        assert sorted(code.number for code in taken) == list(range(1, 8 * 25 + 1))

    def test_is_never_undone(self, site: Any):
        first = catalogue.assign_code("206001", "a")
        model.Session.rollback()
        assert catalogue.assign_code("206001", "b").number == first.number + 1

    def test_of_an_entry_that_was_purged_is_not_used_again(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", **values(category="208001"))
        site.act("sysadmin", "package_delete", id=entry["id"])
        site.act("sysadmin", "dataset_purge", id=entry["id"])
        assert catalogue.package_of_code(entry["catalogue_code"]) is None
        after = site.act("officer", "package_create", **values(category="208001"))
        assert (entry["catalogue_code"], after["catalogue_code"]) == ("208001/1", "208001/2")

    def test_whole_entries_saved_at_once_have_codes_of_their_own(self, site: Any, values: Values, together: Any):
        entries = [values(category="212001") for _ in range(AT_ONCE)]
        made = together(lambda number: site.act("officer", "package_create", **entries[number]))
        assert {entry["catalogue_code"] for entry in made} == {f"212001/{n}" for n in range(1, AT_ONCE + 1)}
        assert all(catalogue.package_of_code(entry["catalogue_code"]) == entry["id"] for entry in made)


class TestTitle:
    def test_is_taken_whatever_its_width_spaces_and_punctuation(self, site: Any, values: Values):
        site.act("officer", "package_create", **values(title="重点排污单位（2018）名录"))
        for same in ("重点排污单位(2018)名录", " 重点 排污单位２０１８名录。"):
            with pytest.raises(tk.ValidationError) as caught:
                site.act("officer", "package_create", **values(title=same))
            assert set(caught.value.error_dict) == {"title"}

    def test_is_free_for_another_provider(self, site: Any, values: Values):
        site.act("officer", "package_create", **values(title="行政许可清单"))
        elsewhere = values(title="行政许可清单", owner_org=site.organizations["jiaotongju"]["id"])
        assert site.act("neighbour", "package_create", **elsewhere)["title"] == "行政许可清单"

    def test_may_be_written_in_another_way_by_its_own_entry(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", **values(title="噪声监测点"))
        assert site.act("officer", "package_patch", id=entry["id"], title="噪声 监测点")["title"] == "噪声 监测点"

    @pytest.mark.parametrize("purge", [False, True], ids=["deleted", "purged"])
    def test_is_free_again_when_its_entry_is_gone(self, site: Any, values: Values, purge: bool):
        title = f"土壤监测{purge}"
        entry = site.act("officer", "package_create", **values(title=title))
        site.act("officer", "package_delete", id=entry["id"])
        if purge:
            site.act("sysadmin", "dataset_purge", id=entry["id"])
        again = site.act("officer", "package_create", **values(title=title))
        assert again["title"] == title
        if not purge:
            with pytest.raises(tk.ValidationError) as caught:
                site.act("sysadmin", "package_patch", id=entry["id"], state="active")
            assert set(caught.value.error_dict) == {"title"}

    def test_is_free_again_when_its_entry_is_renamed(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", **values(title="辐射监测"))
        site.act("officer", "package_patch", id=entry["id"], title="辐射环境监测")
        assert site.act("officer", "package_create", **values(title="辐射监测"))["title"] == "辐射监测"

    def test_stays_taken_while_its_entry_is_withdrawn(self, site: Any, values: Values):
        entry = site.act("platform", "package_create", **values(title="固废处置", entry_state="published"))
        site.act("platform", "openhuizhou_entry_withdraw", id=entry["id"], reason="核对")
        with pytest.raises(tk.ValidationError):
            site.act("officer", "package_create", **values(title="固废处置"))

    def test_is_given_to_one_of_eight_who_save_it_at_once(self, site: Any, values: Values, together: Any):
        same = [values(title="机动车排放检验") for _ in range(AT_ONCE)]
        made = together(lambda number: site.act("officer", "package_create", **same[number]))
        refused = [result for result in made if isinstance(result, tk.ValidationError)]
        assert len(refused) == AT_ONCE - 1
        assert all(set(error.error_dict) == {"title"} for error in refused)
        (saved,) = [result for result in made if not isinstance(result, tk.ValidationError)]
        assert catalogue.title_holder(saved["owner_org"], "机动车排放检验") == saved["id"]
