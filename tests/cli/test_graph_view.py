import pytest

from spacy_relext.export.tables import write_tables
from tests.export.example_graph import make_graph


@pytest.fixture
def graph(tmp_path):
    write_tables(make_graph(["Ada", "</script>", "Cy"]), tmp_path / "graph")
    return tmp_path / "graph"


def test_a_page(run, graph, tmp_path):
    done = run("graph", "view", graph, "--html", tmp_path / "new" / "page.html")
    assert done.exit_code == 0 and "Wrote 6 facts to" in done.output and "most probable" not in done.output
    page = (tmp_path / "new" / "page.html").read_bytes()
    assert b"<h1>Graph</h1><p>6 facts of 3 entities in 3 documents</p>" in page
    run("graph", "view", graph, "--html", tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == page


def test_a_page_of_some_facts(run, graph, tmp_path):
    done = run("graph", "view", graph, "--html", tmp_path / "page.html", "--top", 2)
    assert "The 2 most probable of 6 facts; --top shows more" in done.output
    assert "The 2 most probable of 6 facts of" in (tmp_path / "page.html").read_text(encoding="utf8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{tmp}/nothing", "--html", "{tmp}/g.html"), "R801"),
        (("{graph}", "--html", "{tmp}/g.pdf"), "R209"),
        (("{graph}", "--html", "{tmp}"), "R209"),
        (("{graph}", "--html", "\udcff.html"), "R231"),
    ],
)
def test_one_line_for_bad_input(fails, graph, tmp_path, arguments, message):
    assert message in fails("graph", "view", *(each.format(graph=graph, tmp=tmp_path) for each in arguments))
