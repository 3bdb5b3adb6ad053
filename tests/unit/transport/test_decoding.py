from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.errors import DecodingError
from ckanext.openhuizhou.transport.decoding import decode, detect, first_error

#: As long as the first chunk of the reader and a little more, so that letters are cut in two.
LONG = "station,2018-03-01,42\r\n" * 46_000
texts = st.text(st.characters(codec="utf-8", exclude_characters="\ufeff\0"))

#: Letters of the first level of GB 2312, with which Chinese is written; two bytes hold each.
chinese = st.sampled_from(
    [bytes((lead, trail)).decode("gb2312") for lead in range(0xB0, 0xD7) for trail in range(0xA1, 0xFF)]
)
#: … and all others.
rare = st.characters(codec="gb2312", min_codepoint=0x4E00, max_codepoint=0x9FFF)
TRADITIONAL = "惠陽觀測站,博羅雨量站,龍門氣象臺\r\n"


class TestDetect:
    @pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-8-sig"])
    def test_chinese_that_comes_late_is_found(self, encoding: str):
        stream = io.BytesIO((LONG + "惠州市,㛃\r\n").encode(encoding))
        assert detect(stream) == encoding
        assert stream.tell() == 0
        assert stream.read().decode(encoding).endswith("惠州市,㛃\r\n")

    def test_ascii_is_utf8(self):
        assert detect(io.BytesIO(b"a,b\r\n1,2\r\n")) == "utf-8"
        assert detect(io.BytesIO(b"")) == "utf-8"

    @pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
    def test_a_last_letter_that_was_cut_off_is_refused(self, encoding: str):
        whole = (LONG + "惠州市惠城").encode(encoding)
        cut = whole[:-1]
        with pytest.raises(DecodingError) as error:
            detect(io.BytesIO(cut))
        assert len(LONG) <= error.value.params["offset"] < len(cut)

    def test_a_file_of_two_encodings_is_refused(self):
        mixed = "惠州市".encode() + b"\r\n" + "惠州市环".encode("gb18030") + b"\xff\r\n"
        with pytest.raises(DecodingError):
            detect(io.BytesIO(mixed))

    @pytest.mark.parametrize("row", ["惠州市养老服务中心,12\r\n", "机构名称,1\r\n"])
    def test_rows_of_utf8_among_those_of_gb18030_are_told_though_they_decode(self, row: str):
        some = "机构,床位\r\n甲院,12\r\n".encode("gb18030") * 60_000
        mixed = some + (row * 2).encode() + some
        assert "鏈" in mixed.decode("gb18030", "ignore") or "鎯" in mixed.decode("gb18030", "ignore")
        with pytest.raises(DecodingError):
            detect(io.BytesIO(mixed))

    def test_short_words_of_utf8_are_told_when_they_are_several(self):
        some = "甲院,12\r\n".encode("gb18030") * 100
        assert detect(io.BytesIO(some + "江北".encode() + b"\r\n" + some)) == "gb18030"
        with pytest.raises(DecodingError):
            detect(io.BytesIO(some + "江北\r\n龙门\r\n博罗\r\n".encode() + some))

    def test_utf16_without_its_mark_is_refused(self):
        with pytest.raises(DecodingError) as error:
            detect(io.BytesIO("station,value\r\n".encode("utf-16-le")))
        assert error.value.params["offset"] == 1

    def test_a_mark_that_lies_is_refused(self):
        with pytest.raises(DecodingError):
            detect(io.BytesIO(b"\xef\xbb\xbf" + "惠州".encode("gb18030")))

    def test_marks_of_other_encodings_are_believed(self):
        assert detect(io.BytesIO("惠州".encode("utf-16"))) == "utf-16"
        assert detect(io.BytesIO(b"\x84\x31\x95\x33" + "惠州".encode("gb18030"))) == "gb18030"

    def test_big5_is_told_though_it_decodes(self):
        content = b"code,name\r\n1," + TRADITIONAL.encode("big5")
        content.decode("gb18030")
        with pytest.raises(DecodingError) as error:
            detect(io.BytesIO(content))
        assert error.value.params["offset"] == content.index(b"1,") + 2

    @pytest.mark.parametrize(
        ("text", "encoding"),
        [
            ("1,Κυριάκος\r\n2,Αλέξανδρος\r\n3,Ευστόργιος\r\n", "iso-8859-7"),
            ("1,Москва\r\n2,река\r\n3,снег\r\n", "cp1251"),
        ],
    )
    def test_another_script_is_told_though_it_decodes(self, text: str, encoding: str):
        content = (text * 2).encode(encoding)
        content.decode("gb18030")
        with pytest.raises(DecodingError):
            detect(io.BytesIO(content))

    def test_traditional_letters_in_gb18030_are_no_big5(self):
        assert detect(io.BytesIO((LONG + TRADITIONAL * 3).encode("gb18030"))) == "gb18030"

    @pytest.mark.parametrize("names", ["陈喆,李镕,王堃", "㛃㙍村,𠮷祥里,𬭳𫟹", "\ue000\ue4c5\ue000"])
    def test_a_few_rare_names_are_chinese(self, names: str):
        assert detect(io.BytesIO(f"id,name\r\n1,{names}\r\n".encode("gb18030"))) == "gb18030"

    @given(st.text(chinese, min_size=8, max_size=40), st.text(rare, max_size=8))
    def test_rare_letters_among_common_ones_are_chinese(self, common: str, some: str):
        content = f"惠州市惠城区,{common},{some}\r\n".encode("gb18030")
        assert detect(io.BytesIO(content)) in ("gb18030", "utf-8")


class TestDecode:
    @given(texts, st.sampled_from(["utf-8", "utf-8-sig"]))
    def test_utf8_comes_back_as_it_was(self, text: str, encoding: str):
        assert decode(text.encode(encoding)) == text

    @given(st.text(chinese))
    def test_gb18030_comes_back_unless_it_is_utf8_too(self, text: str):
        content = text.encode("gb18030")
        expected = text if first_error([content], "utf-8") is not None else content.decode()
        assert decode(content) == expected

    @given(st.text(chinese, min_size=4), st.data())
    def test_damaged_utf8_is_never_read_as_gb18030(self, text: str, data: st.DataObject):
        content = text.encode()
        cut = data.draw(st.sampled_from([-1, -2]))
        with pytest.raises(DecodingError):
            decode(content[:cut])

    @given(st.binary())
    def test_any_bytes_are_text_or_refused(self, content: bytes):
        with contextlib.suppress(DecodingError):
            assert "\ufffd" not in decode(content) or "\ufffd".encode() in content or b"\x84\x31\xa4\x37" in content

    @given(st.binary(), st.integers(1, 7))
    def test_the_first_bad_byte_is_the_same_however_the_stream_is_cut(self, content: bytes, size: int):
        chunks = [content[at : at + size] for at in range(0, len(content), size)]
        for encoding in ("utf-8", "gb18030"):
            assert first_error(chunks, encoding) == first_error([content], encoding)
