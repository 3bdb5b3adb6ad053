from __future__ import annotations

import pytest
from flask import Flask

from ckanext.openhuizhou.helpers import lists

APP = Flask(__name__)


class TestHere:
    def test_keeps_the_request_and_starts_the_pages_anew(self) -> None:
        with APP.test_request_context("/dataset/?q=空气&theme=environment&page=3"):
            url = lists.openhuizhou_here("/dataset/", update_cycle="daily")
        assert url == "/dataset/?q=%E7%A9%BA%E6%B0%94&theme=environment&update_cycle=daily"

    def test_another_value_of_a_filter_takes_the_place_of_the_first(self) -> None:
        with APP.test_request_context("/dataset/?theme=environment"):
            assert lists.openhuizhou_here("/dataset/", theme="transport") == "/dataset/?theme=transport"

    def test_takes_out_what_is_set_to_none(self) -> None:
        with APP.test_request_context("/dataset/?theme=environment"):
            assert lists.openhuizhou_here("/dataset/", theme=None) == "/dataset/"

    def test_keeps_only_what_is_asked_for(self) -> None:
        with APP.test_request_context("/dataset/?q=a&theme=environment&sort=x"):
            assert lists.openhuizhou_here("/dataset/", keep=["q"]) == "/dataset/?q=a"

    def test_what_a_visitor_typed_cannot_leave_the_address(self) -> None:
        with APP.test_request_context("/dataset/", query_string={"q": '"><script>&x=1#'}):
            assert lists.openhuizhou_here("/d") == "/d?q=%22%3E%3Cscript%3E%26x%3D1%23"


class TestPages:
    @pytest.mark.parametrize(
        ("page", "count", "numbers"),
        [
            (1, 1, []),
            (1, 0, []),
            (1, 3, [1, 2, 3]),
            (1, 9, [1, 2, 3, None, 9]),
            (5, 9, [1, None, 3, 4, 5, 6, 7, None, 9]),
            (9, 9, [1, None, 7, 8, 9]),
            (4, 6, [1, 2, 3, 4, 5, 6]),
        ],
    )
    def test_shows_the_ends_and_the_neighbours(self, page: int, count: int, numbers: list[int | None]) -> None:
        with APP.test_request_context("/dataset/"):
            assert [item["number"] for item in lists.openhuizhou_pages(page, count, "/dataset/")] == numbers

    def test_the_first_page_has_no_number_in_its_address(self) -> None:
        with APP.test_request_context("/dataset/?q=a&page=2"):
            pages = lists.openhuizhou_pages(2, 2, "/dataset/")
        assert [page["url"] for page in pages] == ["/dataset/?q=a", "/dataset/?q=a&page=2"]
        assert [page["current"] for page in pages] == [False, True]
