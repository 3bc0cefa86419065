import json

import pyarrow
import pytest
from hypothesis import given, settings
from pyarrow import parquet

from spacy_relext.export.tables import (
    TABLE_NAMES,
    GraphTables,
    empty_tables,
    is_graph,
    read_tables,
    sorted_table,
    table_rows,
    table_schemas,
    write_tables,
)
from tests.export.example_graph import HARD_NAMES, graphs, make_graph, rows_table


def folder_bytes(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_written_is_read(tmp_path):
    graph = make_graph(HARD_NAMES)
    write_tables(graph, tmp_path / "deep" / "g")
    again = read_tables(tmp_path / "deep" / "g")
    assert again.named() == graph.named() and again.info == graph.info
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["g"]
    assert is_graph(tmp_path / "deep" / "g") and not is_graph(tmp_path)


@settings(max_examples=20, deadline=None)
@given(graphs())
def test_any_names(tmp_path_factory, graph):
    folder = tmp_path_factory.mktemp("graph") / "g"
    write_tables(graph, folder)
    first = folder_bytes(folder)
    write_tables(read_tables(folder), folder)
    assert folder_bytes(folder) == first


def test_an_empty_graph(tmp_path):
    write_tables(empty_tables(), tmp_path / "g")
    assert read_tables(tmp_path / "g") == empty_tables()
    assert tuple(empty_tables().named()) == TABLE_NAMES == tuple(table_schemas())


def test_rows_are_sorted_whatever_their_order():
    graph = make_graph()
    for name, table in graph.named().items():
        rows = table.to_pylist()
        columns = table.column_names
        assert rows_table(name, [[row[column] for column in columns] for row in rows[::-1]]) == table
    assert sorted_table("documents", graph.documents.slice(1)).num_rows == graph.documents.num_rows - 1


def test_other_files_stay(tmp_path):
    write_tables(make_graph(), tmp_path / "g")
    (tmp_path / "g" / "decisions.jsonl").write_text("{}")
    (tmp_path / "g" / "more").mkdir()
    write_tables(make_graph(["Ada", "Bo"]), tmp_path / "g")
    assert (tmp_path / "g" / "decisions.jsonl").read_text() == "{}" and (tmp_path / "g" / "more").is_dir()
    assert read_tables(tmp_path / "g").entities.num_rows == 2
    assert [path.name for path in tmp_path.iterdir()] == ["g"]


def test_an_error_leaves_what_was_there(tmp_path, monkeypatch):
    write_tables(make_graph(), tmp_path / "g")
    before = folder_bytes(tmp_path)

    def broken(*args, **kwargs):
        raise OSError("the disk is full")

    monkeypatch.setattr(json, "dumps", broken)
    with pytest.raises(OSError, match="full"):
        write_tables(make_graph(["Ada", "Bo"]), tmp_path / "g")
    assert folder_bytes(tmp_path) == before


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    for path in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(ValueError, match="R801.*expected a new or empty folder, or that of a graph"):
            write_tables(make_graph(), path)
    (tmp_path / "empty").mkdir()
    write_tables(make_graph(), tmp_path / "empty")


def replaced(graph, name, table):
    return GraphTables(info=graph.info, **{**graph.named(), name: table})


@pytest.mark.parametrize(
    ("name", "column", "value", "message"),
    [
        ("mentions", "doc_id", "nowhere", r"mentions\.parquet, column doc_id: found 'nowhere'.*a row of documents"),
        ("mentions", "entity_id", 99, "found 99; expected the id of a row of entities"),
        ("facts", "subject", 99, "found 99; expected the id of a row of entities"),
        ("support", "fact_id", 99, "found 99; expected the id of a row of facts"),
        ("support", "object_mention", 99, "found 99; expected the id of a row of mentions"),
        ("conflicts", "other_fact_id", 99, "found 99; expected the id of a row of facts"),
        ("facts", "fact_id", 1, "the same fact_id in several rows"),
        ("facts", "relation", " ", "column relation: found other values; expected a name"),
        ("mentions", "start", -1, "column start: found other values; expected 0 to 9007199254740992"),
        ("support", "score", float("nan"), "column score: found other values; expected 0 to 1"),
    ],
)
def test_rows_that_name_what_is_not_there(tmp_path, name, column, value, message):
    graph = make_graph()
    rows = graph.named()[name].to_pylist()
    rows[0] = {**rows[0], column: value}
    table = rows_table(name, [list(row.values()) for row in rows])
    write_tables(replaced(graph, name, table), tmp_path / "g")
    with pytest.raises(ValueError, match=message):
        read_tables(tmp_path / "g")


def test_rows_without_a_value(tmp_path):
    from pyarrow import Table, parquet

    write_tables(make_graph(), tmp_path)
    rows = make_graph().entities.to_pylist()
    parquet.write_table(Table.from_pylist([*rows[1:], {**rows[0], "name": None}]), tmp_path / "entities.parquet")
    with pytest.raises(ValueError, match="entities.parquet: found .* null values"):
        read_tables(tmp_path)


def test_damaged_folders(tmp_path):
    with pytest.raises(ValueError, match="R801.*no graph.json"):
        read_tables(tmp_path)
    write_tables(make_graph(), tmp_path / "g")
    facts, info = tmp_path / "g" / "facts.parquet", tmp_path / "g" / "graph.json"
    whole = facts.read_bytes()
    for content, message in ((None, "no such file"), (b"no table", "expected a table"), (whole[:-9], "a table")):
        facts.unlink()
        if content is not None:
            facts.write_bytes(content)
        with pytest.raises(ValueError, match=message) as error:
            read_tables(tmp_path / "g")
        assert "\n" not in str(error.value)
        facts.write_bytes(whole)
    for content, message in (("[]", "JSON with format"), ("{", "JSON with format"), ('{"format": 2}', "expected 1")):
        info.write_text(content)
        with pytest.raises(ValueError, match=message):
            read_tables(tmp_path / "g")


def test_columns_of_another_type(tmp_path):
    graph = make_graph()
    write_tables(graph, tmp_path / "g")
    path = tmp_path / "g" / "entities.parquet"
    wide = graph.entities.append_column("more", pyarrow.array([1, 2, 3])).cast(
        pyarrow.schema([*graph.entities.schema, pyarrow.field("more", pyarrow.int64())]).set(
            1, pyarrow.field("name", pyarrow.large_string())
        )
    )
    parquet.write_table(wide, path)  # as other tools write it
    assert read_tables(tmp_path / "g").entities == graph.entities
    parquet.write_table(graph.entities.drop(["kb_id"]), path)
    with pytest.raises(ValueError, match="kb_id.*expected a table in Parquet with entity_id, name"):
        read_tables(tmp_path / "g")
    texts = graph.entities.set_column(5, "n_mentions", pyarrow.array(["2", "x", "2"]))
    parquet.write_table(texts, path)
    with pytest.raises(ValueError, match="Failed to parse string: 'x'"):
        read_tables(tmp_path / "g")


def test_rows_in_batches():
    graph = make_graph([str(number) for number in range(50)])
    rows = list(table_rows(graph.entities, ("name", "entity_id"), size=7))
    assert rows == [(str(number), number) for number in range(50)]
