"""HTML, Markdown and PDF: blocks become passages, markup vanishes, and each passage knows its place."""

import random
import sys
import warnings
from pathlib import Path
from typing import Any, Dict, List, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacy_relext.corpora.documents import find_charset, looks_like_markup, read_document
from spacy_relext.corpora.raw_text import TextLog
from spacy_relext.corpora.texts import list_sources

pytest.importorskip("lxml")
pytest.importorskip("mdit_py_plugins")
pypdf = pytest.importorskip("pypdf")


def passages(content: Any, kind: str) -> List[str]:
    """Read a document; check that the places of its passages hold its text."""
    text, record = read_document(content, kind)
    places = record["passages"]
    assert text == "".join(text[each["start"] : each["end"]] for each in places) or "\n" in text
    return [text[each["start"] : each["end"]] for each in places]


def make_pdf(pages: Sequence[Sequence[str]]) -> bytes:
    """Make a PDF of lines of text in the standard encoding."""
    parts, kids = [b"<< /Type /Catalog /Pages 2 0 R >>", b""], []
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    for lines in pages:
        shown = b"".join(b"(" + line.encode("cp1252") + b") Tj T*\n" for line in lines)
        stream = b"BT /F1 12 Tf 14 TL 72 720 Td\n" + shown + b"ET"
        parts.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        resources = b"<< /Font << /F1 " + font + b" >> >>"
        box = b"/MediaBox [0 0 612 792]"
        parts.append(
            b"<< /Type /Page /Parent 2 0 R %s /Contents %d 0 R /Resources %s >>" % (box, len(parts), resources)
        )
        kids.append(b"%d 0 R" % len(parts))
    parts[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids))
    data, offsets = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(parts) + 1, len(data))
    return data + b"xref\n0 %d\n0000000000 65535 f \n%s%s" % (len(parts) + 1, table, trailer)


@pytest.mark.parametrize(
    "page, expected",
    [
        ("<p>Moe &amp; Co<br>by <b>Liv&nbsp;Moe</b>, M&#248;re &lt;N&gt;.", ["Moe & Co\nby Liv Moe, Møre <N>."]),
        ("<title>t</title><style>a{}</style><script>Liv</script><nav>Home</nav><p>One<template>no</template>", ["One"]),
        ("<p>fo<wbr>o so&shy;ft un<i>seen</i><sup class=reference><a>[1]</a></sup>.", ["foo soft unseen."]),
        ("<div>one<p>two</p>three<div></div>four<!-- no --></div>", ["one", "two", "three", "four"]),
        ("<ul><li><p>One</p><li>Two<ol><li>Three</ol></ul>", ["One", "Two", "Three"]),
        ("<pre>one\n two</pre>", ["one\ntwo"]),
        ("plain &amp; simple", ["plain & simple"]),
        (" ", []),
        ("<!-- nothing -->", []),
    ],
)  # fmt: skip
def test_html(page: str, expected: List[str]) -> None:
    assert passages(page, "html") == expected


def test_keys_lists_and_tables_have_their_context() -> None:
    page = """
    <h1>Havgass AS</h1><p>Founder: Liv Moe<br>Seat: Skien</p><p>Note: this is a sentence.</p>
    <h2>Board</h2><p>The members are:</p><ul><li>Bo Lie<li>Gry Ho</ul><p>Chair: Bo Lie</p>
    <dl><dt>Auditor<dd>Ivar Ek</dl>
    <table><tr><th>Name<th>Town<tr><td>Liv Moe<td>Skien<tr><td>Bo Lie<td></table>
    <table><caption>Office</caption><tr><th>Street<td>Dronningens gate</table>
    """
    assert passages(page, "html") == [
        "Havgass AS",
        "Havgass AS – Founder: Liv Moe.",
        "Havgass AS – Seat: Skien.",
        "Note: this is a sentence.",
        "Board",
        "The members are:",
        "The members are: Bo Lie.",
        "The members are: Gry Ho.",
        "Havgass AS – Board – Chair: Bo Lie.",
        "Auditor",
        "Havgass AS – Board – Auditor: Ivar Ek.",
        "Name: Liv Moe, Town: Skien.",
        "Bo Lie",
        "Office",
        "Havgass AS – Board – Office – Street: Dronningens gate.",
    ]


def test_long_headings_are_not_repeated() -> None:
    page = f"<h1>{'Long ' * 100}</h1>" + "<p>Seat: Skien</p>" * 3
    assert passages(page, "html")[1:] == ["Seat: Skien."] * 3


def test_markdown() -> None:
    page = """---
title: no
---
# Havgass

| Name | Town |
|------|------|
| Liv *Moe* | Skien |

**Liv Moe** was born
in [Skien](https://example.org/wiki/Skien_(town)).

- *Bo Lie* founded `Havgass`
- see [[Havgass|the firm]] and a note[^1]

**Seat:** Skien
Chair: [Bo](http://example.org)

[^1]: Bo Lie was born in Hamar.
"""
    text, record = read_document(page, "markdown")
    assert [(text[each["start"] : each["end"]], each["line"], each["element"]) for each in record["passages"]] == [
        ("Havgass", 4, "h1"),
        ("Name: Liv Moe, Town: Skien.", 8, "tr"),
        ("Liv Moe was born in Skien.", 10, "p"),
        ("Bo Lie founded Havgass", 13, "li"),
        ("see the firm and a note", 14, "li"),
        ("Havgass – Seat: Skien.", 16, "p"),
        ("Havgass – Chair: Bo.", 16, "p"),
        ("Bo Lie was born in Hamar.", 19, "li"),
    ]
    assert text.count("\n\n") == 7


def test_pdf() -> None:
    first = ["Nordlys Kraft was founded by Liv Moe in the town of Fred-", "rikstad, which is south of it.", "1"]
    second = ["- 2 -", "The end of the sentence that began on the page before is a-"]
    pages = [first, [], second, ["bove. Next.", "3 / 3"]]
    text, record = read_document(make_pdf(pages), "pdf")
    assert [(text[each["start"] : each["end"]], each["page"]) for each in record["passages"]] == [
        ("Nordlys Kraft was founded by Liv Moe in the town of Fredrikstad, which is south of it.", 1),
        ("The end of the sentence that began on the page before is a", 3),
        ("bove. Next.", 4),
    ]
    assert "before is above. Next." in text and "of it.\n\nThe" in text


def encrypt(data: bytes, path: Path) -> bytes:
    writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(data_path(data, path)))
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(path)
    return path.read_bytes()


def data_path(data: bytes, path: Path) -> Path:
    path.write_bytes(data)
    return path


def test_documents_that_cannot_be_read(tmp_path: Path) -> None:
    pdf = make_pdf([["Liv met Bo."]])
    bad: Dict[str, bytes] = {
        "a.pdf": b"%PDF-1.4 and no more",
        "b.pdf": make_pdf([[]]),
        "c.pdf": encrypt(pdf, tmp_path / "c.pdf"),
        "d.html": b"<b>" * 5000,
        "e.html": b"\xff",
        "f.txt": pdf,
    }
    messages: List[str] = []
    for name, data in bad.items():
        (source,) = list_sources(data_path(data, tmp_path / name))
        log = TextLog(report=messages.append)
        if name == "f.txt":
            with pytest.raises(ValueError, match=r"R233.*f\.txt is a PDF.*--input-format pdf"):
                list(source.read(log))
        else:
            assert list(source.read(log)) == [] and log.skipped == 1
            assert name in messages[-1] and messages[-1].startswith("[R2") and "\n" not in messages[-1]
    assert "OCR" in messages[1]


@pytest.mark.parametrize("name, module", [("a.html", "lxml"), ("a.md", "markdown_it"), ("a.pdf", "pypdf")])
def test_a_missing_library_is_named_at_once(
    name: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / name).write_text("x")
    for path in (tmp_path / name, tmp_path):
        with pytest.raises(ImportError, match=r"R006.*spacy-relext\[text\]"):
            list_sources(path)


def test_records_whose_texts_have_markup(tmp_path: Path) -> None:
    entity = {"start": 3, "end": 6, "label": "PERSON"}
    line = '{"text": "<p>Liv met&nbsp;Bo.", "id": 7, "entities": [{"start": 3, "end": 6, "label": "PERSON"}]}'
    (tmp_path / "a.jsonl").write_text(line)
    (source,) = list_sources(tmp_path / "a.jsonl", input_format="html")
    (raw,) = source.read(TextLog())
    place = {"start": 0, "end": 11, "line": 1, "element": "p"}
    assert raw.text == "Liv met Bo." and raw.extra == {"id": 7, "input_entities": [entity], "passages": [place]}


def test_prose_that_looks_like_markup(tmp_path: Path) -> None:
    marked = ["<b>Liv</b> met Bo.", "Liv &amp; Bo", "**Liv** met", "[Bo](x.md)", "see [[Bo]]", "# Title", "| a | b |"]
    plain = ["5 < 6 > 4", "Moe & Co; 2*3*4 is 24", "[1] (see)", "a [b] c", "<mail@x.no>", "#1", "a | b"]
    assert [text for text in marked + plain if looks_like_markup(text)] == marked
    (tmp_path / "a.txt").write_text("\n".join(marked + plain))
    (source,) = list_sources(tmp_path / "a.txt")
    log = TextLog()
    with pytest.warns(UserWarning, match="W203") as caught:
        assert [raw.text for raw in source.read(log)] == marked + plain
    assert log.markup == len(marked) and len(caught) == 1


@pytest.mark.parametrize(
    "head, expected",
    [(b"<meta charset=iso-8859-1>", "cp1252"), (b'<meta http-equiv=x content="text/html; charset=koi8-r">', "koi8-r")]
    + [(b"<meta charset=%s>" % name, "utf-8") for name in (b"utf-16", b"base64", b"none")]
    + [(b"<p>", "utf-8")],
)
def test_the_encoding_of_a_page(head: bytes, expected: str, tmp_path: Path) -> None:
    assert find_charset(head) == expected
    (tmp_path / "a.html").write_bytes(head + "<p>Ж".encode(expected, "replace"))
    (raw,) = list_sources(tmp_path / "a.html")[0].read(TextLog())
    assert raw.text == "Ж".encode(expected, "replace").decode(expected)


PIECES = ["<", ">", "<p>", "</p>", "<td>", "<tr>", "<li>", "<br>", "&amp;", "&#x1F600;", "**", "`", "[[", "](", "\n\n"]
PIECES += [
    "# ",
    "- ",
    "| a | b |\n|--|--|\n",
    "Key: value\n",
    "    ",
    "\t",
    "\0",
    "\x0c",
    "\u00ad",
    "\u202e",
    "😀",
    "שלום",
]
PIECES += ["Liv met Bo. ", "e\u0301", "\r\n", "\ufb01", "[^1]", "[^1]: ", "---\n", "<!--", "<script>", "\u2028", "﻿"]


odd_texts = st.lists(
    st.sampled_from(PIECES) | st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=40
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=odd_texts.map("".join))
def test_odd_texts(text: str, tmp_path: Path) -> None:
    """Whatever a text has, it is read or refused in one line, and the places hold the text; prose is not changed."""
    (tmp_path / "a.txt").write_text(text, encoding="utf8", newline="")
    try:
        sources = list_sources(tmp_path / "a.txt", input_format="file")
    except ValueError as error:
        assert str(error).startswith("[R234]") and "\n" not in str(error)  # another format, such as binary data
        sources = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for raw in (raw for source in sources for raw in source.read(TextLog())):
            assert raw.text == text.removeprefix("\ufeff").replace("\r\n", "\n")
    for kind in ("html", "markdown"):
        try:
            found, record = read_document(text, kind)
        except ValueError:
            continue
        ends = [0, *(each["end"] for each in record["passages"])]
        assert all(found[end : each["start"]] in ("", "\n\n") for end, each in zip(ends, record["passages"]))
        assert ends[-1] == len(found) and all(each["start"] < each["end"] for each in record["passages"])


def test_damaged_pdf_ends_in_one_line() -> None:
    data, draw = make_pdf([["Liv met Bo."], ["Gry met Ho."]]), random.Random(0)
    for _ in range(60):
        damaged = bytearray(data)
        for _ in range(draw.randint(1, 20)):
            damaged[draw.randrange(len(damaged))] = draw.randrange(256)
        try:
            read_document(bytes(damaged[: draw.randint(len(data) // 2, len(data))]), "pdf")
        except ValueError as error:
            assert "\n" not in str(error)
