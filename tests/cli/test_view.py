import xml.etree.ElementTree as ElementTree

import pytest


def test_text_becomes_a_page(run, pipeline, tmp_path):
    done = run("view", pipeline, "Ada met Bo. Nobody came.", "--html", tmp_path / "new" / "out.html")
    assert done.exit_code == 0, done.output
    page = (tmp_path / "new" / "out.html").read_text(encoding="utf-8")
    assert "Ada → met → Bo (score 0.900, from fake)" in page and "Nobody came." in page


def test_files(run, pipeline, tmp_path):
    (tmp_path / "in.txt").write_bytes(b"\xef\xbb\xbfAda met Bo.\r\n\r\nCy met Di.\r\n")
    assert run("view", pipeline, tmp_path / "in.txt", "--html", tmp_path / "out.html").exit_code == 0
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2 and "<h2>" not in page
    (tmp_path / "in.jsonl").write_text('{"text": "Ada met Bo."}\n{"text": "Nobody."}\n')
    assert run("view", pipeline, tmp_path / "in.jsonl", "--html", tmp_path / "out.html").exit_code == 0
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "Document 2" in page and "No triple." in page


def test_a_page_of_html(run, pipeline, tmp_path):
    (tmp_path / "in.html").write_text("<h1>Ada</h1><p><b>Ada</b> met&nbsp;Bo.", encoding="utf8")
    assert run("view", pipeline, tmp_path / "in.html", "--html", tmp_path / "out.html").exit_code == 0
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 1 and "&lt;b&gt;" not in page and "nbsp" not in page


def test_one_drawing_as_svg(run, fails, pipeline, tmp_path):
    assert run("view", pipeline, "Ada met Bo. Cy met Di.", "--svg", tmp_path / "out.svg").exit_code == 0
    svg = (tmp_path / "out.svg").read_text(encoding="utf-8")
    assert svg.startswith("<svg") and svg.rstrip().endswith("</svg>") and "Di" not in svg
    assert "prefers-color-scheme: dark" in ElementTree.fromstring(svg)[0].text
    assert "R221" in fails("view", pipeline, "Nobody came here.", "--svg", tmp_path / "out.svg")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("Ada met Bo.",), "R214"),
        (("Ada met Bo.", "--html", "{tmp}/out.pdf"), "a name that ends in '.pdf'; expected .html"),
        (("Ada met Bo.", "--svg", "{tmp}/out"), "a name without a suffix; expected .svg"),
        (("absent.txt", "--html", "{tmp}/out.html"), "R211"),
        (("Ada met Bo.", "--html", "{tmp}/file.txt/out.html"), "R216"),
        (("Ada met Bo. " * 100_000, "--html", "{tmp}/out.html"), "R205"),
        (("{tmp}/bad.txt", "--html", "{tmp}/out.html"), "line 2"),
    ],
)
def test_one_line_for_bad_input(fails, pipeline, tmp_path, arguments, message):
    (tmp_path / "file.txt").write_text("x")
    (tmp_path / "bad.txt").write_bytes(b"Ada met Bo.\n\xff")
    assert message in fails("view", pipeline, *[argument.format(tmp=tmp_path) for argument in arguments])
