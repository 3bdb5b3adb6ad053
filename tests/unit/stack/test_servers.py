"""The parts that run CKAN."""

from __future__ import annotations

import pytest

from ckanext.openhuizhou.errors import StackError
from ckanext.openhuizhou.stack.servers import worker_names


class TestWorkers:
    def test_one_when_nobody_says_how_many(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.delenv("OPENHUIZHOU_WORKERS", raising=False)
        assert worker_names() == ["worker"]

    def test_as_many_as_are_wanted(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("OPENHUIZHOU_WORKERS", "3")
        assert worker_names() == ["worker", "worker-2", "worker-3"]

    @pytest.mark.parametrize("wrong", ["0", "-1", "two", "1.5", "1000", "²"])
    def test_what_is_no_number_of_workers_is_said(self, monkeypatch: pytest.MonkeyPatch, wrong: str):
        monkeypatch.setenv("OPENHUIZHOU_WORKERS", wrong)
        with pytest.raises(StackError, match="OPENHUIZHOU_WORKERS"):
            worker_names()
