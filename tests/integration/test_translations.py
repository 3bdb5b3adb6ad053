"""Our catalogue wins over CKAN's, in the default locale and only there."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
import pytest
from ckan.tests.helpers import CKANTestApp

pytestmark = pytest.mark.usefixtures("with_plugins")


@pytest.mark.parametrize(
    ("msgid", "chinese"),
    [
        ("Followers", "关注者"),  # CKAN's own: 追从者
        ("Organizations", "部门"),  # CKAN's own: 机构
        ("Please Confirm", "请确认"),  # CKAN has none
        ("Select at least one", "请至少选择一项"),  # ckanext-scheming's
        ("Targets", "目标"),
    ],
)
def test_ours_wins(app: CKANTestApp, msgid: str, chinese: str) -> None:
    with app.flask_app.test_request_context("/"):
        assert tk._(msgid) == chinese
    with app.flask_app.test_request_context("/", environ_overrides={"CKAN_LANG": "en"}):
        assert tk._(msgid) == msgid


def test_numbers_stand_in_chinese_sentences(app: CKANTestApp) -> None:
    with app.flask_app.test_request_context("/"):
        assert tk.ungettext("{num} Dataset", "{num} Datasets", 3).format(num=3) == "3 个数据集"
