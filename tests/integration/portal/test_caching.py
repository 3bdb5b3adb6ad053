"""What may be kept of an answer, and by whom."""

from __future__ import annotations

from typing import Any

import pytest
from ckan.tests import factories

PUBLIC = {"public", "max-age=0", "must-revalidate"}


def cache_control(response: Any) -> set[str]:
    return {part.strip() for part in response.headers["Cache-Control"].split(",")}


@pytest.fixture
def official() -> Any:
    return factories.UserWithToken()


class TestAnonymousPages:
    @pytest.mark.parametrize("address", ["/", "/dataset/", "/organization/huanbaoju", "/targets", "/about"])
    def test_can_be_kept_and_are_asked_for_again(self, portal: Any, address: str) -> None:
        first = portal.page(address)
        assert cache_control(first) == PUBLIC
        again = portal.app.get(address, headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304
        assert again.get_data() == b""
        assert cache_control(again) == PUBLIC

    def test_that_changed_are_sent_again(self, portal: Any) -> None:
        other = portal.page("/about").headers["ETag"]
        assert portal.app.get("/", headers={"If-None-Match": other}).status_code == 200

    @pytest.mark.parametrize(
        ("address", "status"),
        [("/nowhere", 404), ("/dataset/no-such-entry", 404), ("/user/", 403), ("/organization/nobody", 404)],
    )
    def test_with_an_error_set_no_cookie_and_have_no_etag(self, portal: Any, address: str, status: int) -> None:
        response = portal.page(address, status)
        assert "Set-Cookie" not in response.headers
        assert "ETag" not in response.headers

    def test_with_a_form_that_needs_a_cookie_are_private(self, portal: Any) -> None:
        response = portal.page("/user/login")
        assert "Set-Cookie" in response.headers
        assert "private" in cache_control(response)
        assert "public" not in cache_control(response)
        assert "ETag" not in response.headers


class TestPagesOfSomebody:
    def test_are_private(self, portal: Any, official: dict[str, Any]) -> None:
        response = portal.app.get("/", headers={"Authorization": official["token"]})
        assert "private" in cache_control(response)
        assert "ETag" not in response.headers

    def test_are_never_answered_from_what_everybody_sees(self, portal: Any, official: dict[str, Any]) -> None:
        etag = portal.app.test_client().get("/").headers["ETag"]  # without a cookie of an earlier test
        headers = {"Authorization": official["token"], "If-None-Match": etag}
        assert portal.app.get("/", headers=headers).status_code == 200

    def test_a_session_cookie_is_enough_to_be_somebody(self, portal: Any) -> None:
        response = portal.app.get("/", headers={"Cookie": "ckan=x"})
        assert "private" in cache_control(response)


class TestApiForOtherSites:
    def test_a_page_of_another_site_may_read_it(self, portal: Any) -> None:
        response = portal.app.get("/api/3/action/status_show", headers={"Origin": "https://app.example.cn"})
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in response.headers

    def test_an_answer_without_the_header_is_not_kept_for_one_with_it(self, portal: Any) -> None:
        assert "Origin" in portal.page("/api/3/action/status_show").headers["Vary"]
