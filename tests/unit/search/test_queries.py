"""Any string that a person types is a search; a program may use Solr's syntax."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.search.queries import (
    MAX_START,
    MAX_TEXT,
    PARSER,
    PARSER_OF_OPERATORS,
    QUERY_FIELDS,
    as_text,
    search_parameters,
)


class TestAsText:
    @pytest.mark.parametrize(
        ("typed", "query"),
        [
            ("空气质量", "空气质量"),
            ("  空气 \t 质量 ", "空气 质量"),
            ("PM2.5 监测", "PM2.5 监测"),
            ("211001/12", r"211001\/12"),
            ("title:空气", r"title\:空气"),
            ('"养老" OR (机构)', r"\"养老\" or \(机构\)"),
            ("-养老", r"\-养老"),
            ("{!lucene}*:*", r"\{\!lucene\}\*\:\*"),
            ("a\\b", r"a\\b"),
            ("ORANGE", "ORANGE"),
            ("   ", ""),
        ],
    )
    def test_signs_lose_their_meaning(self, typed: str, query: str) -> None:
        assert as_text(typed) == query

    @given(st.text())
    def test_no_sign_stands_unescaped(self, typed: str) -> None:
        query = as_text(typed)
        plain = ""
        position = 0
        while position < len(query):
            if query[position] == "\\":
                position += 2
                continue
            plain += query[position]
            position += 1
        assert not set(plain) & set('+-&|!(){}[]^"~*?:\\/')
        assert len(query) <= 2 * MAX_TEXT


class TestSearchParameters:
    def test_free_text_looks_into_our_fields(self) -> None:
        params = search_parameters({"q": "空气质量"})
        assert params["q"] == f"{PARSER}空气质量"
        assert params["qf"] == QUERY_FIELDS

    def test_a_program_keeps_solr_syntax(self) -> None:
        params = search_parameters({"q": "title:空气 AND ("})
        assert params["q"] == "title:空气 AND ("
        assert "defType" not in params

    @pytest.mark.parametrize("query", ["空气 OR 公交", "空气 NOT 公交", "空气 -公交", "+空气 公交", "(空气 || 公交)"])
    def test_a_programs_operators_say_what_must_match(self, query: str) -> None:
        params = search_parameters({"q": query})
        assert (params["q"], params["mm"]) == (PARSER_OF_OPERATORS + query, "0%")

    @pytest.mark.parametrize("query", ["PM2.5 空气", "空气-质量", "ORANGE", "C++ 语言", "惠州 - 空气"])
    def test_a_sign_within_words_is_no_operator(self, query: str) -> None:
        assert search_parameters({"q": query})["q"] == PARSER + query

    def test_a_page_number_stays_within_what_solr_counts(self) -> None:
        assert search_parameters({"q": "", "start": 20 * 10**20}, {"page": ["1" + 20 * "0"]})["start"] == MAX_START
        assert search_parameters({"q": "", "start": 40}, {"page": ["3"]})["start"] == 40

    def test_a_person_has_no_operators(self) -> None:
        assert search_parameters({"q": "空气 OR 公交"}, {"q": ["空气 OR 公交"]})["q"] == PARSER + "空气 or 公交"

    def test_a_program_keeps_its_own_weights(self) -> None:
        params = search_parameters({"q": "空气", "qf": "title", "mm": "1"})
        assert (params["qf"], params["mm"]) == ("title", "1")

    def test_a_page_searches_for_the_colon(self) -> None:
        params = search_parameters({"q": "title:空气 AND ("}, {"q": ["title:空气 AND ("]})
        assert params["q"] == PARSER + r"title\:空气 and \("
        assert params["defType"] == "lucene"

    def test_what_a_pages_own_code_asks_is_not_escaped(self) -> None:
        params = search_parameters({"q": "organization:huanbaoju"}, {"q": ["空气"]})
        assert params["q"] == "organization:huanbaoju"
        assert "defType" not in params

    @pytest.mark.parametrize("query", ["", "   ", "{!bool must=a}"])
    def test_nothing_and_local_parameters_stay(self, query: str) -> None:
        assert search_parameters({"q": query})["q"] == query

    def test_only_datasets_unless_a_type_is_named(self) -> None:
        assert search_parameters({"fq": "+a:b"})["fq"] == "+a:b +dataset_type:dataset"
        assert search_parameters({"fq": "dataset_type:application"})["fq"] == "dataset_type:application"
        assert "fq" not in search_parameters({"fq_list": ["+dataset_type:application"]})

    def test_a_filter_in_the_address_cannot_leave_its_quotes(self) -> None:
        value = '") OR capacity:("private'
        params = search_parameters({"fq": f'tags:"{value}" +dataset_type:dataset'}, {"tags": [value]})
        assert params["fq"] == r'tags:"\") OR capacity:(\"private" +dataset_type:dataset'

    def test_an_unknown_parameter_is_no_filter(self) -> None:
        params = search_parameters(
            {"fq": 'utm_source:"weixin" theme:"health" +dataset_type:dataset'},
            {"utm_source": ["weixin"], "theme": ["health"]},
        )
        assert params["fq"] == 'theme:"health" +dataset_type:dataset'
        alone = search_parameters({"fq": 'utm_source:"weixin"'}, {"utm_source": ["weixin"]})
        assert alone["fq"] == "+dataset_type:dataset"

    @pytest.mark.parametrize(
        ("typed", "sort"),
        [
            ("title_string asc", "title_sort asc"),
            ("score desc, metadata_modified desc", "score desc, metadata_modified desc"),
            ("exists(query({!v='a'})) asc", None),
            ("password asc", None),
        ],
    )
    def test_a_page_sorts_by_known_fields(self, typed: str, sort: str | None) -> None:
        assert search_parameters({"sort": typed}, {"sort": [typed]})["sort"] == sort

    def test_titles_sort_by_pinyin_for_programs_too(self) -> None:
        assert search_parameters({"sort": "title_string desc"})["sort"] == "title_sort desc"
