from __future__ import annotations

import pytest

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.harvesters.kinds import TYPE_NAMES, Option, check_config, config_problems, kinds
from ckanext.openhuizhou.harvesters.rules import Place

OPTIONS = (
    Option("url", required=True),
    Option("pages", (int,), default=10),
    Option("mode", choices=("fast", "slow"), default="fast"),
    Option("token", secret=True),
    Option("data", (bool,), options=(Option("url", required=True), Option("password", secret=True))),
)


class TestConfigProblems:
    def test_everything_that_is_wrong_is_told_at_once_by_path(self):
        found = config_problems({"pages": "ten", "mode": "wild", "data": {"pasword": "x"}, "uri": "x"}, OPTIONS)
        assert [problem.path for problem in found] == ["uri", "url", "pages", "mode", "data.pasword", "data.url"]

    def test_a_secret_of_a_wrong_type_is_not_repeated(self):
        [found] = config_problems({"url": "x", "token": 12345678}, OPTIONS)
        assert found.params["value"] == "***"

    def test_yes_is_no_number(self):
        [found] = config_problems({"url": "x", "pages": True}, OPTIONS)
        assert (found.path, found.params["known"]) == ("pages", "number")

    def test_an_empty_text_is_not_what_is_needed(self):
        assert [problem.path for problem in config_problems({"url": ""}, OPTIONS)] == ["url"]

    @pytest.mark.parametrize("config", [None, [], "url: x"])
    def test_what_is_no_mapping_is_one_problem(self, config):
        assert len(config_problems(config, OPTIONS)) == 1


class TestCheckConfig:
    def test_defaults_are_filled_in_at_any_depth(self):
        assert check_config({"url": "x", "data": {"url": "y"}}, OPTIONS, Place("f")) == {
            "url": "x",
            "pages": 10,
            "mode": "fast",
            "token": None,
            "data": {"url": "y", "password": None},
        }

    def test_the_first_problem_is_raised_with_file_and_place(self):
        with pytest.raises(ConfigurationError, match=r"^f.yaml, config.data.url: option url is needed$"):
            check_config({"url": "x", "data": {}}, OPTIONS, Place("f.yaml", "config"))


class TestKinds:
    def test_every_option_has_a_type_that_the_form_knows(self):
        def options(among):
            for option in among:
                yield option
                yield from options(option.options or ())

        found = [option for kind in kinds().values() for option in options(kind.options)]
        assert found
        assert {one for option in found for one in option.types} <= set(TYPE_NAMES)
        assert all(isinstance(option.default, str) or not option.choices for option in found)
