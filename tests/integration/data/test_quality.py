"""Scores follow whatever changes an entry, and the index follows the scores."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.tests import factories, helpers
from tests.factories import complete_entry

from ckanext.openhuizhou.data import quality
from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.model import load
from ckanext.openhuizhou.model import quality as scores
from ckanext.openhuizhou.model.database import engine
from ckanext.openhuizhou.search import outbox

pytestmark = pytest.mark.usefixtures("with_request_context")


@pytest.fixture
def entry() -> Iterator[dict[str, Any]]:
    """Published, by a sysadmin, its score not yet computed; nothing else waits."""
    while quality.refresh_stale() == quality.PAGE:
        pass
    made = helpers.call_action(
        "package_create",
        {"user": factories.Sysadmin()["name"]},
        **complete_entry(
            title=f"评分演示 {uuid.uuid4()}", owner_org=factories.Organization()["id"], entry_state="published"
        ),
    )
    yield made
    helpers.call_action("package_delete", {"user": factories.Sysadmin()["name"]}, id=made["id"])


def score_of(package_id: str) -> int:
    model.Session.remove()
    return scores.of([package_id])[package_id].score


def shown(package_id: str) -> dict[str, Any]:
    return helpers.call_action("openhuizhou_quality_show", {"user": "", "ignore_auth": False}, id=package_id)


class TestRefreshStale:
    def test_a_new_entry_gets_its_score(self, entry: dict[str, Any]):
        assert quality.refresh_stale() == 1
        assert 0 < score_of(entry["id"]) < 100
        assert quality.refresh_stale() == 0

    def test_a_better_description_is_a_better_score(self, entry: dict[str, Any]):
        quality.refresh_stale()
        before = score_of(entry["id"])
        patch = {
            "id": entry["id"],
            "notes": "演示数据：惠州市各县区公共图书馆的名称、地址、开放时间和馆藏数量，每年更新。",
        }
        helpers.call_action("package_patch", {"user": factories.Sysadmin()["name"]}, **patch)
        assert quality.refresh_stale() == 1
        assert score_of(entry["id"]) > before

    def test_a_load_that_was_refused_is_a_worse_one(self, entry: dict[str, Any]):
        resource_id = str(uuid.uuid4())
        load.record_ok(load.Published(resource_id, entry["id"], 1, "digest", 1, []))
        quality.refresh_stale()
        before = score_of(entry["id"])
        load.record_failed(resource_id, entry["id"], [])
        assert quality.refresh_stale() == 1
        assert score_of(entry["id"]) < before
        load.forget(resource_id)

    def test_time_alone_makes_it_late(self, entry: dict[str, Any]):
        quality.refresh_stale()
        assert shown(entry["id"])["freshness"] == "in_time"
        assert quality.refresh_stale(now=utcnow() + timedelta(days=400)) >= 1
        model.Session.remove()
        late = shown(entry["id"])
        assert late["freshness"] == "late"
        assert "late" in {reason["kind"] for one in late["dimensions"] for reason in one["reasons"]}

    def test_the_index_tells_score_band_and_freshness(self, entry: dict[str, Any]):
        quality.refresh_stale()
        outbox.drain()
        found = helpers.call_action("package_search", fq=f'id:"{entry["id"]}"', fl="id,quality,quality_band,freshness")
        score = score_of(entry["id"])
        expected = {
            "id": entry["id"],
            "quality": score,
            "quality_band": shown(entry["id"])["band"],
            "freshness": "in_time",
        }
        assert found["results"] == [expected]

    def test_a_score_that_did_not_change_is_not_indexed_again(self, entry: dict[str, Any]):
        quality.refresh_stale()
        outbox.drain()
        quality.refresh([entry["id"]])
        assert outbox.waiting() == 0


class TestQualityShow:
    def test_reasons_are_sentences(self, entry: dict[str, Any]):
        quality.refresh_stale()
        found = shown(entry["id"])
        reasons = [reason for one in found["dimensions"] for reason in one["reasons"]]
        assert reasons
        assert all(reason["message"] and reason["mend"] and "{" not in reason["message"] for reason in reasons)
        assert (
            round(
                100
                * sum(one["points"] for one in found["dimensions"])
                / sum(one["most"] for one in found["dimensions"])
            )
            == found["score"]
        )

    def test_who_may_not_see_the_entry_may_not_see_its_score(self, entry: dict[str, Any]):
        quality.refresh_stale()
        sysadmin = factories.Sysadmin()["name"]
        helpers.call_action("openhuizhou_entry_withdraw", {"user": sysadmin}, id=entry["id"], reason="演示")
        with pytest.raises(tk.NotAuthorized):
            shown(entry["id"])

    def test_before_it_is_computed(self, entry: dict[str, Any]):
        with engine().begin() as connection:
            connection.execute(sa.delete(scores.Quality).where(scores.Quality.package_id == entry["id"]))
        with pytest.raises(tk.ObjectNotFound):
            shown(entry["id"])
        with pytest.raises(tk.ObjectNotFound):
            shown("no-such-entry")


class TestQualityList:
    def test_the_city_and_each_department(self, entry: dict[str, Any]):
        quality.refresh_stale()
        found = helpers.call_action("openhuizhou_quality_list", {"user": "", "ignore_auth": False})
        department = next(one for one in found["departments"] if one["id"] == entry["owner_org"])
        assert (department["entries"], department["score"]) == (1, score_of(entry["id"]))
        assert found["city"]["entries"] >= 1
        assert set(department["dimensions"]) <= {"metadata", "documentation", "data", "freshness", "openness", "links"}

    def test_what_is_not_public_does_not_count(self, entry: dict[str, Any]):
        quality.refresh_stale()
        sysadmin = factories.Sysadmin()["name"]
        helpers.call_action("openhuizhou_entry_withdraw", {"user": sysadmin}, id=entry["id"], reason="演示")
        model.Session.remove()
        found = helpers.call_action("openhuizhou_quality_list", {"user": "", "ignore_auth": False})
        assert entry["owner_org"] not in {one["id"] for one in found["departments"]}
