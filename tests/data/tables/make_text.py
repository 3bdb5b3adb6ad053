"""The text files of the torture set: encodings, dialects, headers, shapes, values. All of it is made up (演示数据)."""

from __future__ import annotations

import io
import zipfile

#: A small table that is only there to be written in some way.
PLAIN = "编号,名称,数量\r\n001,惠城站,12\r\n002,博罗站,7\r\n"
TRADITIONAL = "編號,名稱,數量\r\n001,惠陽觀測站,12\r\n002,博羅雨量站,7\r\n003,龍門氣象臺,31\r\n"
#: Rows of ASCII, so many that nobody who looks at the beginning of the file sees anything else.
ASCII_ROWS = "".join(f"{number:06},station-{number % 97:02},{number % 1000}\r\n" for number in range(15_000))
FIXED_TIME = (2026, 1, 1, 0, 0, 0)


def encodings() -> dict[str, bytes]:
    head = "编号,名称,数量\r\n"
    half = "001,惠\ud83d城,1\r\n".encode("utf-8", "surrogatepass")
    return {
        "utf8.csv": PLAIN.encode(),
        "utf8-bom.csv": PLAIN.encode("utf-8-sig"),
        "gb18030.csv": PLAIN.encode("gb18030"),
        "gb18030-bom.csv": ("\ufeff" + PLAIN).encode("gb18030"),
        "gb18030-four-bytes.csv": (head + "001,㛃㙍村,1\r\n002,𠮷祥里,2\r\n003,𬭳𫟹,3\r\n").encode("gb18030"),
        "gb18030-rare-names.csv": (head + "001,陈喆,1\r\n002,李镕,2\r\n003,王堃,3\r\n").encode("gb18030"),
        # the edition of 2022 moved 24 characters out of the private area; these bytes are one of them
        "gb18030-2022.csv": (head + "001,惠城@站,1\r\n").encode("gb18030").replace(b"@", b"\xfe\x59"),
        "private-use.csv": (head + "001,惠\ue000城,1\r\n002,\ue4c5,2\r\n").encode("gb18030"),
        "late-gb18030.csv": ("code,name,amount\r\n" + ASCII_ROWS + "999999,㛃㙍惠东站,5\r\n").encode("gb18030"),
        "late-utf8.csv": ("code,name,amount\r\n" + ASCII_ROWS + "999999,惠东站,5\r\n").encode(),
        "big5.csv": TRADITIONAL.encode("big5"),
        "big5-ascii-header.csv": TRADITIONAL.replace("編號,名稱,數量", "code,name,amount").encode("big5"),
        "traditional-gbk.csv": TRADITIONAL.replace("編號,名稱,數量", "code,name,amount").encode("gb18030"),
        "greek.csv": "code,name,amount\r\n1,Κυριάκος,1\r\n2,Αλέξανδρος,2\r\n3,Ευστόργιος,3\r\n".encode("iso-8859-7"),
        "utf16-le.csv": ("\ufeff" + PLAIN).encode("utf-16-le"),
        "utf16-be.csv": ("\ufeff" + PLAIN).encode("utf-16-be"),
        "utf16-tabs.tsv": ("\ufeff" + PLAIN.replace(",", "\t")).encode("utf-16-le"),
        "utf16-le-no-bom.csv": PLAIN.encode("utf-16-le"),
        "utf16-be-no-bom.csv": PLAIN.encode("utf-16-be"),
        "utf16-odd.csv": ("\ufeff" + PLAIN).encode("utf-16-le")[:-1],
        "mixed-rows.csv": (head + "001,惠城区环境监测站,1\r\n").encode("gb18030")
        + "002,惠阳区环境监测站,2\r\n".encode(),
        "truncated-gb18030.csv": (head + "001,惠城区环境监测站").encode("gb18030")[:-1],
        "truncated-utf8.csv": (head + "001,惠城区环境监测站").encode()[:-1],
        "nul-bytes.csv": (head + "001,惠城\0站,1\r\n").encode(),
        "half-surrogate.csv": head.encode() + half,
        "mojibake-inside.csv": (head + "001,锟斤拷锟斤拷站,1\r\n002,惠\ufffd\ufffd站,2\r\n003,惠城站,3\r\n").encode(),
        "mojibake-latin1.csv": (head + f"001,{'惠城区站'.encode().decode('latin-1')},1\r\n002,博罗站,2\r\n").encode(),
        "emoji.csv": (head + "001,👩‍🌾农户,1\r\n002,Å\u030a站,2\r\n003,🇨🇳,3\r\n").encode(),
    }


def dialects() -> dict[str, bytes]:
    rows = PLAIN.splitlines()
    head = "编号,名称,地址\r\n"
    wide = PLAIN.replace(",", "，")
    texts = {
        "lf.csv": "\n".join(rows) + "\n",
        "cr.csv": "\r".join(rows) + "\r",
        "no-final-newline.csv": "\r\n".join(rows),
        "mixed-line-ends.csv": f"{rows[0]}\r\n{rows[1]}\n{rows[2]}\r003,龙门站,3\r\n",
        "newline-in-quotes.csv": head + '001,惠城站,"江北\r\n文昌一路"\r\n002,博罗站,"罗阳\n解放路"\r\n',
        "doubled-quotes.csv": head + '001,"""惠城""站","a,b"\r\n002,"",""""\r\n',
        "quote-inside.csv": head + '001,5" 管,长 3\'6"\r\n002,博罗站,罗阳\r\n',
        "quote-unclosed.csv": head + '001,"惠城站,江北\r\n002,博罗站,罗阳\r\n',
        "text-after-quote.csv": head + '001,"惠城"站,江北\r\n',
        "semicolon.csv": PLAIN.replace(",", ";").replace("惠城站", "惠城站,一号"),
        "tab.tsv": PLAIN.replace(",", "\t"),
        "pipe.csv": PLAIN.replace(",", "|"),
        "full-width-pipe.csv": PLAIN.replace(",", "｜"),
        "full-width-comma.csv": wide,
        "sep-line.csv": "sep=;\r\n" + PLAIN.replace(",", ";"),
        "trailing-delimiter.csv": PLAIN.replace("\r\n", ",\r\n"),
        "ragged-short.csv": PLAIN + "003,龙门站\r\n",
        "ragged-long.csv": PLAIN + "003,龙门站,3,多\r\n",
        "blank-lines.csv": f"{rows[0]}\r\n\r\n{rows[1]}\r\n\r\n\r\n{rows[2]}\r\n\r\n",
        "only-delimiters.csv": PLAIN + ",,\r\n,,\r\n",
        "spaces.csv": " 编号 ,名称\u3000,数量\r\n 001 ,\u3000惠城 站\u3000, 12 \r\n\t002\t,博罗站\xa0,7\r\n",
        "backslash.csv": head + "001,\\N,C:\\数据\\站\r\n002,\\.,a\\,\r\n003,NULL,\\\\\r\n",
        "text-marks.csv": '编号,名称,数量\r\n001\t,惠城站,12\r\n="002",博罗站,7\r\n',
    }
    return {name: text.encode() for name, text in texts.items()}


def headers() -> dict[str, bytes]:
    long_name = "惠州市各县区环境空气质量自动监测站点二氧化硫二氧化氮可吸入颗粒物小时平均浓度"
    texts = {
        "header-duplicate.csv": "编号,名称,名称\r\n001,惠城站,一号\r\n",
        "header-empty.csv": "编号,名称,\r\n001,惠城站,12\r\n",
        "header-long.csv": f"编号,{long_name}甲,{long_name}乙\r\n001,1.5,2.5\r\n",
        "header-newline.csv": '编号,"名\r\n称","数量\n（个）"\r\n001,惠城站,12\r\n',
        "header-signs.csv": '编号,"占比%（""同比""）",%s:x\r\n001,12.5,a%sb:c\r\n',
        "header-order.csv": "数量,名称,编号\r\n12,惠城站,001\r\n",
        "header-extra.csv": "编号,名称,内部备注,数量\r\n001,惠城站,不公开,12\r\n",
        "header-missing.csv": "编号,名称\r\n001,惠城站\r\n",
        "header-years.csv": "县区,2018,2019\r\n惠城区,12,13\r\n",
        "header-titles.csv": "监测站点一览表,,\r\n填报单位：演示局,,单位：个\r\n,,\r\n" + PLAIN,
        "header-title-short.csv": "监测站点一览表\r\n\r\n" + PLAIN,
        "header-two-rows.csv": "县区,检查,,处罚\r\n,次数,隐患数,起数\r\n惠城区,12,30,2\r\n",
        "header-none.csv": "001,惠城站,12\r\n002,博罗站,7\r\n",
    }
    return {name: text.encode() for name, text in texts.items()}


def shapes() -> dict[str, bytes]:
    columns = [f"列{number}" for number in range(1, 1001)]
    many = ",".join(f"列{number}" for number in range(1, 2102))
    long_cell = "惠州" * 20_000
    texts = {
        "empty.csv": "",
        "only-blank-lines.csv": "\r\n\r\n  \r\n",
        "header-only.csv": "编号,名称,数量\r\n",
        "wide.csv": "\r\n".join([",".join(columns), ",".join(str(n) for n in range(1000)), ",".join("0" * 1000), ""]),
        "too-wide.csv": f"{many}\r\n",
        "long-cell.csv": f"编号,名称,数量\r\n001,{long_cell},1\r\n",
        "totals.csv": "县区,数量\r\n惠城区,12\r\n博罗县,7\r\n合计,19\r\n",
        "notes-padded.csv": PLAIN
        + "合计,,19\r\n注：数据为演示数据，截至 2018 年 3 月,,\r\n制表人：演示,,审核人：演示\r\n",
        "notes-short.csv": PLAIN + "\r\n数据来源：演示局\r\n",
        "rows-after-notes.csv": PLAIN + "注：以下为补录,,\r\n003,龙门站,3\r\n",
    }
    return {name: text.encode() for name, text in texts.items()} | {"only-bom.csv": b"\xef\xbb\xbf"}


def values() -> dict[str, bytes]:
    text = "编号,值\r\n"
    texts = {
        "leading-zeros.csv": text + "a,0752\r\nb,007\r\nc,00\r\nd,516000\r\n",
        "long-numbers.csv": text
        + "a,201803010000000017\r\nb,9223372036854775807\r\nc,12345678901234567890123456789\r\n",
        "digits-lost.csv": text + "a,1.23E+17\r\nb,4.41302E+11\r\n",
        "digits-lost-integer.csv": text + "a,12\r\nb,1.23E+17\r\n",
        "exponents.csv": text + "a,1.5E+03\r\nb,2e-4\r\nc,-1E2\r\n",
        "parentheses.csv": text + '"a","(1,234.50)"\r\nb,（12）\r\nc,(0.5)\r\n',
        "thousands.csv": text + 'a,"1,234,567.89"\r\nb,"￥1,234"\r\nc,"-12,345"\r\nd,"1，234"\r\n',
        "thousands-wrong.csv": text + 'a,"1,23,456"\r\n',
        "full-width-digits.csv": "编号,值,代码\r\na,１２３．４５,ＡＢ１２\r\nb,－６,０７\r\n",
        "minus-signs.csv": text + "a,−12.5\r\nb,－3\r\nc,-4\r\n",
        "percent.csv": "编号,占比\r\na,12.5%\r\nb,－3％\r\nc,100\r\n",
        "percent-undeclared.csv": "编号,占比\r\na,12.5%\r\n",
        "wan-yuan.csv": '编号,金额\r\na,"1,234.5万元"\r\nb,12\r\nc,0.5 万元\r\n',
        "wan-yuan-other.csv": "编号,金额\r\na,12万元\r\nb,1.2亿元\r\nc,35000元\r\n",
        "dates.csv": text
        + "a,2018年3月1日\r\nb,20180301\r\nc,2018-3-1\r\nd,2018/03/01\r\ne,2018.3.1\r\nf,２０１８年３月１号\r\n",
        "dates-serial.csv": text + "a,43160\r\n",
        "dates-invalid.csv": text + "a,2018-02-30\r\nb,2018-03-01\r\nc,2018年13月1日\r\nd,03/01/2018\r\ne,18-3-1\r\n",
        "dates-of-a-day.csv": text + "a,2018-03-01 00:00:00\r\nb,2018-03-01 08:00:00\r\n",
        "times.csv": text + "a,2018-03-01 08:05\r\nb,2018年3月1日8时5分\r\nc,2018-03-01T00:05:00Z\r\n"
        "d,2018-03-01 24:00\r\ne,20180301080500\r\nf,2018-03-01 08:05:00.123456\r\ng,2018/3/1 8:05:00+09:00\r\n",
        "times-half-day.csv": text + "a,2018-03-01 下午 3:05\r\n",
        "booleans.csv": text + "a,是\r\nb,否\r\nc,有\r\nd,无\r\ne,√\r\nf,×\r\ng,TRUE\r\nh,0\r\ni,Ｙ\r\nj,\r\n",
        "booleans-wrong.csv": text + "a,是\r\nb,也许\r\n",
        "nothing.csv": "编号,字,数,日\r\na,-,-,—\r\nb,无,无,无\r\nc,NULL,null,N/A\r\nd,——,/,暂无\r\ne,,,\r\n",
        "too-large.csv": text + "a,9223372036854775807\r\nb,9223372036854775808\r\n",
        "fractions-in-integers.csv": text + "a,1.0\r\nb,1.5\r\n",
        "decimals.csv": text + "a,0.1000\r\nb,3.141592653589793238462643383279\r\nc,-0\r\nd,+5\r\n",
        "formulas.csv": text + 'a,=HYPERLINK("http://example.org";"x")\r\nb,=cmd|\'/C calc\'!A0\r\nc,+86 0752\r\n',
        "looks-like-formulas.csv": text + "a,+86 0752\r\nb,-12 度\r\nc,@惠城\r\nd,=\r\n",
        "markup.csv": text + "a,<script>alert(1)</script>\r\nb,&lt;&amp;\r\nc,{{ 7*7 }}\r\n",
        "controls.csv": text
        + "a,惠\x01城\x1f站\r\nb,惠\u200b城\u00ad站\r\nc,惠\ufeff城\r\nd,惠\u2028城\x85站\x0b\x0c东\r\n",
    }
    return {name: content.encode() for name, content in texts.items()}


def other_kinds() -> dict[str, bytes]:
    """What is not a table of text, under the name of one."""
    page = (
        "<html><head><meta charset='utf-8'></head><body><table><tr><td>编号</td></tr><tr><td>1</td></tr></table></body>"
    )
    book = (
        '<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n<Workbook xmlns="urn:schemas-microsoft-com:'
    )
    book += (
        'office:spreadsheet"><Worksheet><Table><Row><Cell><Data>编号</Data></Cell></Row></Table></Worksheet></Workbook>'
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        # names in GBK without the flag that says UTF-8, as Windows writes them
        entry = zipfile.ZipInfo("HUIZHOU!.csv", FIXED_TIME)
        zipped.writestr(entry, PLAIN.encode("gb18030"))
    gbk_names = archive.getvalue().replace(b"HUIZHOU!", "站点数据".encode("gbk"))
    return {
        "html-called.xls": page.encode(),
        "html-called.csv": page.encode(),
        "spreadsheet-xml-called.xls": book.encode(),
        "text-called.xls": PLAIN.replace(",", "\t").encode("gb18030"),
        "json-called.csv": '[{"编号": "001", "名称": "惠城站", "数量": 12}]\n'.encode(),
        "pdf-called.csv": b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj <</Type /Catalog>> endobj\n%%EOF\n",
        "gbk-names.zip": gbk_names,
    }


def files() -> dict[str, bytes]:
    parts = {
        "encoding": encodings(),
        "dialect": dialects(),
        "header": {name.removeprefix("header-"): content for name, content in headers().items()},
        "shape": shapes(),
        "value": values(),
        "kind": other_kinds(),
    }
    return {f"{group}-{name}": content for group, part in parts.items() for name, content in part.items()}
