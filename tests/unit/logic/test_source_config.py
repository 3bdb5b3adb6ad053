from __future__ import annotations

from typing import Any

import pytest

from ckanext.openhuizhou.logic.source_config import addresses, leaves


class TestAddresses:
    @pytest.mark.parametrize(
        ("config", "found"),
        [
            ({"url": "https://A.example/x?y=https://b.example"}, {"https://a.example"}),
            ({"url": "http://a.example:80/"}, {"http://a.example:80"}),
            ({"url": "https://user:pw@a.example/"}, {"https://a.example"}),
            ({"url": "https://good.example@evil.example/"}, {"https://evil.example"}),
            ({"url": "https://good.example\\@evil.example/"}, {"https://good.example\\@evil.example"}),
            ({"url": " https://a.example#@b.example"}, {"https://a.example"}),
            ({"url": "${huanbaoju.url}/catalog"}, {"${huanbaoju.url}"}),
            ({"data": {"url": "sftp://a.example:22/drop"}}, {"sftp://a.example:22"}),
            ({"urls": ["https://a.example/1", "https://b.example/2"]}, {"https://a.example", "https://b.example"}),
            ({"host": "a.example", "port": 22}, {"host=a.example", "port=22"}),
            ({"records": "data.list", "key": "id"}, set()),
        ],
    )
    def test_are_the_servers_that_would_be_asked(self, config: dict[str, Any], found: set[str]):
        assert addresses(config) == found

    def test_a_trick_in_the_address_is_another_server(self):
        good = addresses({"url": "https://good.example/"})
        for url in (
            "https://good.example.evil.example/",
            "https://good.example:8443/",
            "http://good.example/",
            "https://evil.example\\@good.example/",
        ):
            assert addresses({"url": url}) - good


class TestLeaves:
    def test_go_through_lists_and_mappings(self):
        assert dict(leaves({"a": {"b": [1, {"c": 2}]}, "d": None})) == {"a.b.0": 1, "a.b.1.c": 2, "d": None}
