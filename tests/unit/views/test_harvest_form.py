"""The form of a source: what is typed becomes a configuration, what is stored a text, and no secret comes back."""

from __future__ import annotations

from typing import Any

import pytest

from ckanext.openhuizhou.views.harvest_form import Field, SourceForm, config_fields, control_of

PAGING = [
    {"name": "page", "type": "text", "types": ["text"]},
    {"name": "per_page", "type": "number", "types": ["number"], "default": 100},
]
KIND: dict[str, Any] = {
    "name": "made-up",
    "options": [
        {"name": "url", "type": "text", "types": ["text"], "required": True, "label": "地址"},
        {"name": "token", "type": "text", "types": ["text"], "secret": True},
        {"name": "digest", "type": "text", "types": ["text", "list"]},
        {"name": "header", "type": "number", "types": ["number", "list"]},
        {"name": "skip", "type": "list", "types": ["list"], "default": ["合计"]},
        {"name": "covers_data", "type": "boolean", "types": ["boolean"], "default": False},
        {"name": "recursive", "type": "boolean", "types": ["boolean"], "default": True},
        {"name": "namespaces", "type": "mapping", "types": ["mapping"], "rare": True},
        {"name": "paging", "type": "mapping", "types": ["mapping"], "options": PAGING},
    ],
}
#: Texts of a form in which nothing is typed: the boxes are as they stand when the option has its default.
NOTHING = {"config.recursive": "true"}


def read(**typed: str) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The configuration that a form with these texts gives, and its mistakes. ``paging__page`` is ``paging.page``."""
    values = NOTHING | {f"config.{name.replace('__', '.')}": text for name, text in typed.items()}
    form = SourceForm(KIND, None, values, sent=True)
    return form._read(KIND["options"], ""), form.errors


def stored(config: dict[str, Any], secrets: list[str] | None = None) -> SourceForm:
    return SourceForm.stored(KIND, {"id": "1", "title": "t", "config": config, "secrets": secrets or []})


def field(form: SourceForm, path: str, fields: Any = None) -> Field:
    every = form.fields() if fields is None else fields
    group, _dot, rest = path.partition(".")
    found = next(each for each in every if each.path.endswith(group))
    return field(form, rest, found.fields) if rest else found


class TestTyped:
    def test_an_empty_form_says_nothing(self) -> None:
        assert read() == ({}, {})

    @pytest.mark.parametrize(
        ("typed", "config"),
        [
            ({"url": "  http://a/ "}, {"url": "http://a/"}),
            ({"digest": "校验值"}, {"digest": "校验值"}),
            ({"digest": "a\r\nb\r\n"}, {"digest": ["a", "b"]}),
            ({"header": "3"}, {"header": 3}),
            ({"header": "3\n4"}, {"header": [3, 4]}),
            ({"skip": "合计"}, {"skip": ["合计"]}),
            ({"skip": "合计\n\n 总计 "}, {"skip": ["合计", "总计"]}),
            ({"covers_data": "true"}, {"covers_data": True}),
            ({"recursive": ""}, {"recursive": False}),
            (
                {"namespaces": "soap: http://s/\ndc: http://d/"},
                {"namespaces": {"soap": "http://s/", "dc": "http://d/"}},
            ),
            ({"paging__per_page": "50"}, {"paging": {"per_page": 50}}),
            ({"paging__page": "seite"}, {"paging": {"page": "seite"}}),
        ],
    )
    def test_a_text_becomes_the_type_of_its_option(self, typed: dict[str, str], config: dict[str, Any]) -> None:
        assert read(**typed) == (config, {})

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("paging__per_page", "viele"),
            ("namespaces", "soap"),
            ("namespaces", "{"),
            ("namespaces", "a: &a [1, 1]\nb: &b [*a, *a]\nc: [*b, *b]"),
            ("namespaces", "[" * 10_000),
            ("paging__per_page", "1,000"),
        ],
    )
    def test_what_does_not_fit_is_told_beside_its_field_and_stays(self, name: str, text: str, translated: None) -> None:
        config, errors = read(**{name: text})
        assert config == {}
        assert list(errors) == [f"config.{name.replace('__', '.')}"]


class TestShown:
    def test_what_is_stored_comes_back_as_it_was_typed(self) -> None:
        config = {
            "url": "http://a/",
            "digest": ["a", "b"],
            "header": [3, 4],
            "skip": ["合计", "总计"],
            "covers_data": True,
            "recursive": False,
            "namespaces": {"soap": "http://s/"},
            "paging": {"page": "p", "per_page": 50},
        }
        form = stored(config)
        again = SourceForm(KIND, None, {**form.values}, sent=True)
        assert again._read(KIND["options"], "") == config

    def test_a_secret_is_never_shown_only_that_there_is_one(self) -> None:
        for form in (
            stored({"token": "geheim"}, ["token"]),
            SourceForm(KIND, None, {"config.token": "geheim"}, sent=True),
        ):
            assert "geheim" not in repr(form.fields())
        assert field(stored({}, ["token"]), "token").is_set
        assert not field(stored({}), "token").is_set

    def test_a_typed_secret_that_is_lost_is_told(self) -> None:
        assert SourceForm(KIND, None, {"config.token": "geheim"}, sent=True).lost_secrets()
        assert not SourceForm(KIND, None, {"config.token": ""}, sent=True).lost_secrets()

    def test_a_default_is_a_hint_not_a_value(self) -> None:
        per_page = field(stored({}), "paging.per_page")
        assert (per_page.value, per_page.placeholder) == ("", "100")
        assert field(stored({}), "skip").placeholder == "合计"

    def test_what_is_seldom_needed_is_folded_until_something_stands_in_it(self) -> None:
        assert field(stored({}), "namespaces").folded
        assert not field(stored({"namespaces": {"dc": "http://d/"}}), "namespaces").folded
        assert not field(stored({}), "url").folded

    def test_a_group_opens_when_something_stands_in_it(self) -> None:
        assert not field(stored({}), "paging").used
        assert field(stored({"paging": {"page": "p"}}), "paging").used

    def test_an_option_without_a_label_goes_by_its_name(self) -> None:
        assert field(stored({}), "url").label == "地址"
        assert field(stored({}), "digest").label == "digest"

    def test_mistakes_stand_beside_their_fields(self) -> None:
        fields = config_fields(KIND["options"], {}, {"config.paging.page": ["falsch"]}, ())
        paging = next(each for each in fields if each.path == "paging")
        assert paging.used
        assert paging.fields[0].errors == ["falsch"]


@pytest.mark.parametrize(
    ("types", "control"),
    [
        (["text"], "text"), (["number"], "number"), (["boolean"], "boolean"), (["list"], "list"),
        (["mapping"], "mapping"), (["text", "list"], "list"), (["number", "list"], "list"),
        (["text", "number"], "text"),
    ],
)  # fmt: skip
def test_each_type_has_its_control(types: list[str], control: str) -> None:
    assert control_of({"name": "x", "type": types[0], "types": types}) == control
