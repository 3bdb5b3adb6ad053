from __future__ import annotations

import json

import ckan.plugins.toolkit as tk
import pytest
from cryptography.fernet import Fernet

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.harvesters.kinds import Option
from ckanext.openhuizhou.transport import secrets
from ckanext.openhuizhou.transport.variables import Variables

OPTION = "ckanext.openhuizhou.secret_keys"
OPTIONS = (
    Option("url"),
    Option("token", secret=True),
    Option("login", options=(Option("user"), Option("password", secret=True))),
)
GIVEN = {"url": "http://a.example", "token": "s3cret-token", "login": {"user": "u", "password": "p@ss word"}}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    made = Fernet.generate_key().decode()
    monkeypatch.setitem(tk.config, OPTION, [made])
    return made


class TestSeal:
    def test_takes_every_secret_out_and_opening_puts_it_back(self):
        config, sealed = secrets.seal(GIVEN, OPTIONS, {})
        assert config == {"url": "http://a.example", "login": {"user": "u"}}
        assert set(sealed) == {"token", "login.password"}
        stored = json.dumps([config, sealed])
        assert "s3cret" not in stored
        assert "p@ss" not in stored
        assert secrets.open_config(config, sealed) == GIVEN

    def test_leaves_what_it_was_given_as_it_is(self):
        before = json.dumps(GIVEN)
        secrets.seal(GIVEN, OPTIONS, {})
        assert json.dumps(GIVEN) == before

    @pytest.mark.parametrize("nothing", [{}, {"token": ""}, {"token": None}])
    def test_nothing_given_keeps_what_was_stored(self, nothing: dict):
        _config, old = secrets.seal({"token": "s3cret-token"}, OPTIONS, {})
        assert secrets.seal({"url": "x", **nothing}, OPTIONS, old) == ({"url": "x"}, old)

    def test_what_the_kind_does_not_declare_is_not_kept(self):
        _config, old = secrets.seal(GIVEN, OPTIONS, {})
        assert secrets.seal({"url": "x"}, OPTIONS[:1], old) == ({"url": "x"}, {})

    def test_a_variable_is_no_secret_and_takes_the_place_of_one(self):
        _config, old = secrets.seal({"token": "s3cret-token"}, OPTIONS, {})
        given = {"token": "${a.token}"}
        assert secrets.seal(given, OPTIONS, old) == (given, {})

    def test_what_only_contains_a_variable_is_a_secret(self):
        config, sealed = secrets.seal({"token": "abc${a.token}"}, OPTIONS, {})
        assert config == {}
        assert secrets.open_config(config, sealed) == {"token": "abc${a.token}"}


class TestKeys:
    def test_without_a_key_nothing_is_kept_and_the_option_is_named(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setitem(tk.config, OPTION, [])
        with pytest.raises(ConfigurationError, match="secret_keys") as caught:
            secrets.seal(GIVEN, OPTIONS, {})
        assert "s3cret" not in str(caught.value)
        assert secrets.seal({"url": "x"}, OPTIONS, {}) == ({"url": "x"}, {})

    def test_another_key_opens_nothing_and_says_which_secret(self, monkeypatch: pytest.MonkeyPatch):
        config, sealed = secrets.seal(GIVEN, OPTIONS, {})
        monkeypatch.setitem(tk.config, OPTION, [Fernet.generate_key().decode()])
        with pytest.raises(ConfigurationError, match="secret token"):
            secrets.open_config(config, sealed)

    def test_a_damaged_key_is_not_repeated(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setitem(tk.config, OPTION, ["not-a-key-at-all"])
        with pytest.raises(ConfigurationError) as caught:
            secrets.seal(GIVEN, OPTIONS, {})
        assert "not-a-key-at-all" not in str(caught.value)

    def test_an_old_key_behind_the_new_one_still_opens(self, monkeypatch: pytest.MonkeyPatch, key: str):
        config, sealed = secrets.seal(GIVEN, OPTIONS, {})
        monkeypatch.setitem(tk.config, OPTION, [Fernet.generate_key().decode(), key])
        assert secrets.open_config(config, sealed) == GIVEN


class TestHideSecrets:
    def test_no_form_of_a_secret_is_left_in_a_text(self):
        options = (*OPTIONS, Option("dsn", secret=True))
        variables = Variables({})
        secrets.hide_secrets(variables, {**GIVEN, "dsn": "mysql://u:pass%2Fword@h/db"}, options)
        said = "t=s3cret-token p=p%40ss%20word p@ss word mysql://u:pass%2Fword@h/db pass/word pass%2Fword"
        assert variables.redact(said) == "t=*** p=*** *** *** *** ***"


class TestWrittenOut:
    def test_names_what_is_more_than_a_variable(self):
        config = {"token": "${a.token}", "login": {"password": "secret"}}
        assert secrets.written_out(config, OPTIONS) == ["login.password"]
