"""Whatever way a pipeline or its Docs travel, the triples arrive; and nothing is executed on the way."""

import multiprocessing
import pathlib
import pickle
import shutil
import socket
from typing import Any, List

import pytest
import spacy
import spacy.language
import srsly
from spacy.tokens import Doc, DocBin

from spacy_relext.bridge.packing import save_packed
from spacy_relext.corpora.damage import FILES
from tests.contract.cases import CASES, MethodCase
from tests.contract.conftest import BATCH_TOLERANCE, NAME, Trained, assert_close, case_id, outcome


def outcomes(nlp: Any, texts: List[str]) -> List[Any]:
    return [outcome(nlp(text)) for text in texts]


def test_disk(trained: Trained) -> None:
    assert_close(outcomes(trained.copy(), trained.texts), outcomes(trained.nlp, trained.texts))


def test_packed_weights(trained: Trained, tmp_path: pathlib.Path) -> None:
    nlp = trained.copy()
    save_packed(nlp, tmp_path / "packed")
    packed = spacy.load(tmp_path / "packed")
    save_packed(packed, tmp_path / "again")
    models = {each: sorted((tmp_path / each).rglob("model")) for each in ("packed", "again")}
    assert [path.read_bytes() for path in models["packed"]] == [path.read_bytes() for path in models["again"]]
    before, after = (
        {
            (number, *triple[:4]): triple[4]
            for number, each in enumerate(outcomes(of, trained.texts))
            for triple in each[0]
        }
        for of in (trained.nlp, packed)
    )
    shared = before.keys() & after.keys()  # a score at its threshold may fall to either side
    assert 5 * len(shared) >= 4 * len(before.keys() | after.keys())
    assert all(after[key] == pytest.approx(before[key], abs=0.05) for key in shared)


def test_bytes(case: MethodCase, trained: Trained, encoder: pathlib.Path) -> None:
    nlp = case.build(encoder, name=NAME).from_bytes(trained.nlp.to_bytes())
    assert_close(outcomes(nlp, trained.texts), outcomes(trained.nlp, trained.texts))
    assert srsly.json_dumps(nlp.get_pipe(NAME).cfg) == srsly.json_dumps(trained.pipe.cfg)
    assert nlp.get_pipe(NAME).labels == trained.pipe.labels


def test_a_component_alone_travels(case: MethodCase, trained: Trained, tmp_path: pathlib.Path) -> None:
    nlp = trained.copy()
    nlp.get_pipe(NAME).to_disk(tmp_path / "pipe")
    nlp.get_pipe(NAME).from_disk(tmp_path / "pipe").from_bytes(trained.pipe.to_bytes())
    assert_close(outcomes(nlp, trained.texts), outcomes(trained.nlp, trained.texts))


def test_damaged_and_missing_files_are_noticed(trained: Trained, tmp_path: pathlib.Path) -> None:
    trained.nlp.to_disk(tmp_path)
    files = [path for path in (tmp_path / NAME).rglob("*") if path.is_file() and path.name != FILES]
    assert files
    for path in files:
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if content else b"x")
        with pytest.raises(ValueError, match=rf"\[R019\] {NAME}: .*{path.name}"):
            spacy.load(tmp_path)
        path.unlink()
        with pytest.raises(ValueError, match=rf"\[R019\] {NAME}: .*{path.name} is missing"):
            spacy.load(tmp_path)
        path.write_bytes(content)
    spacy.load(tmp_path)


def test_an_untrained_pipeline_can_be_saved(case: MethodCase, encoder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    case.build(encoder, name=NAME).to_disk(tmp_path)
    with pytest.raises(ValueError, match=r"\[R004\]"):
        nlp = spacy.load(tmp_path)
        nlp.get_pipe(NAME)(nlp.make_doc("Ada"))


def test_forked_processes(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    check_processes(trained, "fork", monkeypatch)


# A spawned process imports everything anew: a case with other components behind, and one with rules.


@pytest.mark.parametrize("case", [c for c in CASES if c.spawn and not c.needs_encoder], indirect=True, ids=case_id)
def test_spawned_processes(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    check_processes(trained, "spawn", monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("case", [c for c in CASES if c.spawn and c.needs_encoder], indirect=True, ids=case_id)
def test_spawned_processes_with_a_transformer(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    check_processes(trained, "spawn", monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("case", [c for c in CASES if c.spawn and not c.needs_encoder], indirect=True, ids=case_id)
def test_processes_of_a_fork_server(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    """How Linux starts them from Python 3.14."""
    check_processes(trained, "forkserver", monkeypatch)


def check_processes(trained: Trained, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} on this system")
    monkeypatch.setattr(spacy.language, "mp", multiprocessing.get_context(method))
    nlp = trained.copy()
    nlp(trained.texts[0])
    found = [outcome(doc) for doc in nlp.pipe(trained.texts, n_process=2, batch_size=3)]
    assert_close(found, outcomes(trained.nlp, trained.texts), tolerance=BATCH_TOLERANCE)


def test_components_can_be_pickled(trained: Trained) -> None:
    """What a spawned process gets, without the cost of starting one: components that have predicted before, too."""
    nlp = trained.copy()
    list(nlp.pipe(trained.texts))
    found = [pickle.loads(pickle.dumps(pipe)) for _, pipe in nlp.pipeline]
    for text in trained.texts:
        doc = trained.nlp.make_doc(text)
        for pipe in found:
            doc = pipe(doc)
        assert_close([outcome(doc)], [outcome(trained.nlp(text))])


def test_docs_in_a_docbin(trained: Trained) -> None:
    docs = list(trained.nlp.pipe(trained.texts))
    data = DocBin(docs=docs, store_user_data=True).to_bytes()
    for doc, found in zip(docs, DocBin().from_bytes(data).get_docs(trained.nlp.vocab)):
        assert outcome(found) == outcome(doc) and found._.triples == doc._.triples
        assert [t.evidence for t in found._.triples] == [t.evidence for t in doc._.triples]
        again = Doc(trained.nlp.vocab).from_bytes(found.to_bytes())
        assert outcome(again) == outcome(doc)
        assert outcome(pickle.loads(pickle.dumps(doc))) == outcome(doc)


def test_retokenized_docs(trained: Trained) -> None:
    merged = 0
    for doc in trained.nlp.pipe(trained.texts):
        stored, before = outcome(doc), doc._.triples
        texts = [(t.subject.text, t.relation, t.object.text) for t in before]
        arguments = {argument for triple in before for argument in (triple.subject, triple.object)}
        holders = {a for a in arguments for b in arguments if a.start <= b.start and b.end <= a.end and a != b}
        with doc.retokenize() as retokenizer:
            for span in arguments - holders:
                if len(span) > 1 and not any(span.start < h.end and h.start < span.end for h in holders):
                    retokenizer.merge(span)
                    merged += 1
        assert [(t.subject.text, t.relation, t.object.text) for t in doc._.triples] == texts
        assert outcome(doc) == stored
        with doc.retokenize() as retokenizer:
            if len(doc) > 2 and len(doc[0]) > 1:
                retokenizer.split(doc[0], [doc[0].text[:1], doc[0].text[1:]], heads=[doc[0], doc[0]])
        assert [(t.subject.text, t.relation, t.object.text) for t in doc._.triples] == texts
    assert merged or not any(doc._.triples for doc in trained.nlp.pipe(trained.texts))


def test_nothing_needs_the_network(
    trained: Trained, encoder: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError(f"asks the network: {args}")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    expected = outcomes(trained.nlp, trained.texts)
    trained.nlp.to_disk(tmp_path / "pipeline")
    config = tmp_path / "pipeline" / "config.cfg"
    config.write_text(config.read_text(encoding="utf8").replace(str(encoder), "nobody/has-this"), encoding="utf8")
    nlp = spacy.load(tmp_path / "pipeline")
    assert_close(outcomes(nlp, trained.texts), expected)
    assert_close(outcomes(nlp.from_bytes(nlp.to_bytes()), trained.texts), expected)


class Bomb:
    """A pickle of this creates a file when it is read."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return pathlib.Path.touch, (self.path,)


def test_a_planted_pickle_is_not_read(trained: Trained, tmp_path: pathlib.Path) -> None:
    folder, trap = tmp_path / "pipeline", tmp_path / "executed"
    shutil.copytree(trained.path, folder)
    bomb = pickle.dumps(Bomb(trap))
    pickle.loads(bomb)
    assert trap.exists(), "the bomb works"
    trap.unlink()
    for name in ("model.pkl", "model.pt", "pytorch_model.bin", "weights.bin", "cfg.pkl"):
        (folder / NAME / name).write_bytes(bomb)
        (folder / name).write_bytes(bomb)
    assert_close(outcomes(spacy.load(folder), trained.texts), outcomes(trained.nlp, trained.texts))
    model = folder / NAME / "model"
    message = srsly.msgpack_loads(model.read_bytes())
    for planted in (srsly.msgpack_dumps({**message, "shims": bombs(message["shims"], bomb)}), bomb):
        model.write_bytes(planted)
        with pytest.raises(Exception):  # noqa: B017 (whichever reader stumbles over it)
            spacy.load(folder)
    assert not trap.exists()


def bombs(shims: List[List[Any]], bomb: bytes) -> List[List[Any]]:
    return [[srsly.msgpack_dumps({"config": {}, "state": bomb}) for _ in part] for part in shims]


def test_weights_are_safetensors(trained: Trained) -> None:
    import safetensors.torch

    message = srsly.msgpack_loads((trained.path / NAME / "model").read_bytes())
    states = [srsly.msgpack_loads(shim)["state"] for part in message["shims"] for shim in part]
    assert states
    tensors = [safetensors.torch.load(state) for state in states]
    assert all(tensors) and all(tensor.isfinite().all() for part in tensors for tensor in part.values())
