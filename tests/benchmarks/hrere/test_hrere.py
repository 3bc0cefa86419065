"""The benchmark of HRERE on drawn data: its corpora, its knowledge bases, what is counted, and its rows."""

import io
import json
import pathlib
import tarfile
from dataclasses import replace
from functools import cache, partial
from typing import Any, Dict, List, Set, Tuple

import numpy
import pytest
from spacy.vocab import Vocab

from benchmarks.harness.call import Call
from benchmarks.harness.intervals import difference
from benchmarks.harness.render import render_tables
from benchmarks.harness.rows import read_rows
from benchmarks.harness.runs import Settings, Trained
from benchmarks.harness.training_config import read_config, set_key
from benchmarks.hrere import corpora as hrere_corpora
from benchmarks.hrere import experiments as hrere_experiments
from benchmarks.hrere import training as hrere_training
from benchmarks.hrere.corpora import _pairs_of
from benchmarks.hrere.hoffmann import FILE, freebase_id, leave_out, read_annotations, words_of
from benchmarks.hrere.intervals import DrawnRanking, Predictions, drawn_scores
from benchmarks.hrere.match import bag_facts, match_scores
from benchmarks.hrere.outputs import Outputs
from spacy_relext.corpora.shards import iter_docs
from spacy_relext.kb.facts import TripleStore, read_store
from spacy_relext.scoring.thresholds import average_precision

BORN, LIVES, WORKS = "/people/person/place_of_birth", "/people/person/place_lived", "/business/person/company"
PEOPLE = 24


def guid(number: int) -> str:
    return f"/guid/9202a8c04000641f8{number + 100:016x}"


def link(number: int) -> str:
    return freebase_id(guid(number))


def line(subject: int, obj: int, relation: str, sentence: str) -> str:
    return "\t".join([link(subject), link(obj), f"p{subject}", f"p{obj}", relation, f"{sentence} ###END###"])


def lines(first: int) -> List[str]:
    """Each person beside the next one; half of the sentences name two pairs, and each pair stands in two of them."""
    found = []
    for n in range(first, first + PEOPLE):
        relation = (BORN, LIVES, "NA")[n % 3]
        found.append(line(n, n + 1, relation, f"p{n} and p{n + 1} with p{n + 2} ."))
        found.append(line(n, n + 1, relation, f"p{n} met p{n + 1} ."))
        if n % 2:
            found.append(line(n + 1, n + 2, (BORN, LIVES, "NA")[(n + 1) % 3], f"p{n} and p{n + 1} with p{n + 2} ."))
    return found


@pytest.fixture
def data(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "data"
    for name in ("nyt10_riedel_mid_sample", "fb60k_nyt10_kg", "fb15k237", "nyt_hoffmann_sentential"):
        (folder / name).mkdir(parents=True)
    train = lines(0)
    test = [*lines(PEOPLE), line(0, 1, BORN, "p0 again , p1 ."), line(90, 91, WORKS, "p90 is at p91 .")]
    test.append(line(25, 24, WORKS, "p25 is at p24 ."))
    (folder / "nyt10_riedel_mid_sample" / "train.txt").write_text("\n".join(train) + "\n")
    (folder / "nyt10_riedel_mid_sample" / "test.txt").write_text("\n".join(test) + "\n")
    near = [f"{link(n)}\t{link(n + 5)}\t{(BORN, LIVES)[n % 2]}" for n in range(2 * PEOPLE)]
    for split, some in (("dev", near[:10]), ("test", near[10:])):
        (folder / "fb60k_nyt10_kg" / f"{split}.triples").write_text("\n".join(some) + "\n")
    # of pairs of the test, one right, one wrong and one of a relation that training does not show; of an annotated one
    known = [(24, BORN, 25), (25, BORN, 26), (27, WORKS, 28), (200, BORN, 201), (24, LIVES, 40)]
    text = "".join(f"/m/{link(h)[2:]}\t{r}\t/m/{link(t)[2:]}\n" for h, r, t in known).encode()
    with tarfile.open(folder / "fb15k237" / "FB15k-237.tar.gz", "w:gz") as packed:
        member = tarfile.TarInfo("FB15k-237/train.txt")
        member.size = len(text)
        packed.addfile(member, io.BytesIO(text))
    (folder / "nyt_hoffmann_sentential" / "sentential.txt").write_text("".join(annotated_lines()))
    return folder


def annotated_lines() -> List[str]:
    rows = [(24, 25, "y", "[P24]1 met [P25]2 ."), (200, 201, "n", "[P200]1 saw [P201]2 ."), (0, 1, "", "[P0]1 [P1]2")]
    rows += [(n, n + 1, "indirect", f"[P{n}]1 met [P{n + 1}]2 .") for n in range(PEOPLE)]
    return [f'{guid(a)}\t{guid(b)}\t1\t{BORN}\t{said}\t"{text}"\n' for a, b, said, text in rows]


@pytest.fixture
def maker(data: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    small = replace(hrere_corpora.KB_SETTINGS, width=4, epochs=1, eval_frequency=1)
    monkeypatch.setattr(hrere_corpora, "KB_SETTINGS", small)
    return hrere_corpora.HrereMaker(data, tmp_path / "runs" / "corpora", models=data)


def read(corpus: pathlib.Path) -> Tuple[Set[Any], Set[str], int]:
    """Pairs in whichever order, texts, and lines."""
    docs = list(iter_docs(corpus, Vocab()))
    return {frozenset(ids) for doc in docs for ids in _pairs_of(doc)}, {words_of(doc.text) for doc in docs}, len(docs)


def test_parts_share_no_pair_and_no_text(maker: Any) -> None:
    for name, total in (("given", len(lines(0))), ("pairs", len(lines(0)) + 3)):
        found = getattr(maker, name)()
        parts = [read(getattr(found, part)) for part in ("train", "dev", "test")]
        for one, two in ((0, 1), (0, 2), (1, 2)):
            assert name == "given" and two == 2 or not parts[one][0] & parts[two][0], "no pair"
            assert not parts[one][1] & parts[two][1], "no text"
        mine = parts if name == "pairs" else parts[:2]
        assert sum(count for _, _, count in mine) + found.left_out == total and all(count for _, _, count in mine)
    assert found.left_out, "some sentences name pairs of two parts"
    assert "texts-apart" in found.train.name
    given = maker.given()
    assert read(given.train)[0] & read(given.test)[0] <= {frozenset((link(0), link(1)))}


def test_annotated_sentences_of_training_are_left_out(maker: Any) -> None:
    given = maker.given()
    annotations = list(read_annotations(maker.data / FILE))
    assert len(annotations) == 2 + PEOPLE, "blank lines are none"
    kept, counts = leave_out(annotations, {"train": given.train, "dev": given.dev})
    assert [each.text for each in kept] == ["p24 met p25 .", "p200 saw p201 ."]
    assert counts["in_train_found"] > counts["in_dev_found"] > 0 and sum(counts.values()) == PEOPLE
    assert leave_out(annotations, {"train": given.train})[1] == {"in_train_found": counts["in_train_found"]}


def test_knowledge_base_that_is_asked_without_training(maker: Any) -> None:
    given = maker.given()
    facts = bag_facts(given.test)
    assert facts[link(24), link(25)] == {BORN} and facts[link(25), link(24)] == {WORKS}
    assert facts[link(26), link(27)] == set()
    true = sum(map(len, facts.values()))
    store = maker.store("fb15k237")
    found = match_scores(facts, store, shown={BORN, LIVES})
    wanted = {"bag_p": 1 / 2, "bag_r": 1 / true, "bag_f": 2 / (2 + true), "bag_said_found": 2.0}
    assert found == pytest.approx(wanted), "facts of other pairs and relations are not said"
    assert match_scores(facts, store, shown={BORN, LIVES, WORKS})["bag_said_found"] == 3.0
    assert match_scores({(link(25), link(24)): {BORN}}, store, shown={BORN})["bag_said_found"] == 0, "an ordered pair"


def test_embeddings_are_found_by_what_they_are_made_of(maker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said: List[str] = []
    one = maker.kb("fb15k237", seed=0, tell=said.append)
    assert said[0].startswith("fb15k237: 1 facts"), "no pair of NYT10, and none that was annotated"
    count = len(said)
    assert maker.kb("fb15k237", seed=0, tell=said.append) == one and len(said) == count
    assert maker.kb("fb15k237", seed=1, tell=said.append) != one
    monkeypatch.setattr(hrere_corpora, "KB_SETTINGS", replace(hrere_corpora.KB_SETTINGS, n3=0.5))
    assert maker.kb("fb15k237", seed=0, tell=said.append) != one, "another recipe"
    store = maker.store("fb15k237")
    less = TripleStore(store.entities, store.relations, store.triples[1:])
    assert store.digest() == maker.store("fb15k237").digest()
    assert store.digest() != less.digest()


def outputs(count: int = 6, *, seed: int = 0, unit: str = "bag", **changes: Any) -> Any:
    dice = numpy.random.default_rng(seed)
    gold = dice.random((count, 3)) < 0.4
    gold[:, 0] = ~gold[:, 1:].any(1)
    fields: Dict[str, Any] = {
        "text": dice.normal(size=(count, 3)).round(1),
        "kb": dice.normal(size=(count, 3)).round(1),
        "gold": gold,
        "linked": dice.random(count) < 0.7,
        "shared": numpy.asarray([True, True, True]),
        "ids": [(f"e{n // 2}", f"f{n // 2}") if n % 2 else (f"f{n // 2}", f"e{n // 2}") for n in range(count)],
        "missed": numpy.arange(count) % 2,
        "classes": [(BORN, False), (LIVES, False)],
        "unit": unit,
    }
    return Outputs(**{**fields, **changes})


def test_missed_facts_are_counted_where_they_are() -> None:
    found = outputs()
    seen = {frozenset(("e0", "f0")), frozenset(("f1", "e1"))}
    unseen = found.unseen(seen)
    assert unseen.tolist() == [False] * 4 + [True] * 2
    part = found.take(unseen)
    assert part.missed.sum() == 1 and found.missed.sum() == 3
    probs = part.probs(part.fit(share=1.0)).probs
    assert part.ranking(probs).positives == part.gold[:, 1:].sum() + 1
    assert part.ids == found.ids[4:] and part.text.shape == (2, 3) and part.classes == found.classes


def test_temperatures_with_a_share_that_is_held() -> None:
    found = outputs(60)
    free, text, kb = found.fit(), found.fit(share=1.0), found.fit(share=0.0)
    assert (text.share, kb.share) == (1.0, 0.0)
    assert text[1:] == kb[1:] == free[1:] and text.text_temperature > 1.0, "noise is not sure of anything"
    right = replace(found, text=found.text + 2.0 * found.gold)
    assert right.fit(share=1.0).text_temperature < text.text_temperature


def test_a_draw_scores_as_the_bags_that_are_in_it() -> None:
    found = outputs(12)
    said = Predictions(found, found.probs(found.fit()).probs.round(1))
    ranking = DrawnRanking(said)
    dice = numpy.random.default_rng(1)
    for counts in (numpy.ones(12, dtype=int), dice.integers(0, 4, 12), dice.integers(0, 4, 12)):
        rows = numpy.repeat(numpy.arange(12), counts)
        n_gold = int(found.gold[rows, 1:].sum() + found.missed[rows].sum())
        wanted = average_precision(said.probs[rows, 1:].ravel(), found.gold[rows, 1:].ravel(), n_gold=n_gold)
        assert ranking.average_precision(counts) == pytest.approx(wanted)
    assert ranking.average_precision(numpy.zeros(12, dtype=int)) == 0.0


def test_differences_are_of_the_same_draws() -> None:
    found = outputs(40)
    perfect, noise = found.gold + 0.0, numpy.random.default_rng(2).random(found.gold.shape)
    said = {name: Predictions(found, probs) for name, probs in (("best", perfect), ("twin", perfect), ("noise", noise))}
    scores = drawn_scores(said, draws=200)
    assert scores["best"].shape == (201,)
    assert scores["noise"][0] == pytest.approx(found.score(noise)["bag_ap"])
    assert set(difference(scores["best"], scores["twin"], score="ap").values()) == {0.0}
    better, worse = (difference(scores[a], scores[b], score="ap") for a, b in (("best", "noise"), ("noise", "best")))
    assert 0 < better["ap_difference_low"] < better["ap_difference"] < better["ap_difference_high"] <= 1
    assert worse["ap_difference_high"] == pytest.approx(-better["ap_difference_low"])
    with pytest.raises(ValueError, match="same bags"):
        drawn_scores({"one": said["best"], "two": Predictions(outputs(40, seed=1), perfect)}, draws=1)


def test_length_of_a_training(maker: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    found = hrere_training.length_of(1562, passes=5, batch=32)
    assert found == {"training.eval_frequency": 24, "training.max_steps": 240, "training.max_epochs": 0}
    for bags in (1, 40, 1562, 1536):
        long = hrere_training.length_of(bags, passes=3, batch=32)
        assert long["training.max_steps"] == 6 * long["training.eval_frequency"], "the last update is evaluated"
    asked: List[Dict[str, Any]] = []
    monkeypatch.setattr(hrere_training, "train_run", lambda name, **options: asked.append(options))
    call = make_call(maker, tmp_path)
    given = maker.given()
    systems = ((hrere_training.PAPER, {}), (hrere_training.GLOVE, hrere_training.BASE), (hrere_training.MINILM, {}))
    for encoder, changes in systems:
        hrere_training.train_system(call, given, tmp_path, seed=0, encoder=encoder, changes=changes)
        config = read_config(asked[-1]["config"])
        for key, value in asked[-1]["changes"].items():
            set_key(config, key, value)
        assert (config["training"]["eval_frequency"] == 1) == (len(asked) < 4), "one update a pass"
    assert config["training"]["optimizer"]["learn_rate"]["total_steps"] == 0, "found from the number of updates"


def make_call(maker: Any, folder: pathlib.Path) -> Any:
    settings = Settings(runs=folder, encoder=folder, passes=0, threads=1, precision="fp32")
    return Call(settings, maker, [0], folder / "rows.json", folder / "images", "python toy.py", tell=lambda text: None)


def test_rows_of_a_part(maker: Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strength: Dict[str, float] = {}
    read_facts = cache(bag_facts)

    def train(call: Any, data: Any, kb: pathlib.Path, *, seed: int, encoder: str, changes: Any) -> Trained:
        name = str(sorted(changes.items()))
        strength.setdefault(name, 1.0 + len(strength))
        return Trained(tmp_path / name, 1.0, 1.0, 1, 1, 1, 1)

    def said(pipeline: pathlib.Path, corpus: pathlib.Path, *, threads: int, unit: str = "bag") -> Any:
        facts = read_facts(corpus)
        gold = numpy.asarray([[not each & {BORN, LIVES}, BORN in each, LIVES in each] for each in facts.values()])
        found = outputs(len(facts), seed=len(corpus.name), unit=unit, gold=gold, ids=list(facts))
        missed = numpy.asarray([WORKS in each for each in facts.values()], dtype=int)
        return replace(found, missed=missed, text=found.text + strength[pipeline.parent.parent.name] * gold)

    monkeypatch.setattr(hrere_experiments, "train_system", train)
    monkeypatch.setattr(hrere_experiments, "read_outputs", said)
    asked: List[int] = []

    def score(pipeline: pathlib.Path, annotations: List[Any], *, mixture: Any) -> Dict[str, float]:
        asked.append(len(annotations))
        return {"sentence_ap": 0.5, "judged_found": float(len(annotations))}

    monkeypatch.setattr(hrere_experiments, "score_annotations", score)
    monkeypatch.setattr(hrere_experiments, "drawn_scores", partial(hrere_experiments.drawn_scores, draws=20))
    call = replace(make_call(maker, tmp_path), only=frozenset(["central", "last", "rate"]))
    hrere_experiments.experiment("given")(call)
    rows = read_rows(call.results)
    by_name = {(row["benchmark"], row["split"], row["system"], row["metric"]): row["mean"] for row in rows}
    for system in (*hrere_experiments.CURVES, hrere_experiments.KB_ROW):
        for split in ("all pairs", "unseen pairs"):
            assert 0 < by_name["nyt10_given", split, system, "bag_ap"] <= 1
    split = "naive − base (text alone), unseen pairs"
    low, mid, high = (
        by_name["nyt10_given_differences", split, "default", f"ap_difference{end}"] for end in ("_low", "", "_high")
    )
    rows_of = (hrere_experiments.NAIVE_ROW, hrere_experiments.BASE_ROW)
    unseen = [by_name["nyt10_given", "unseen pairs", row, "bag_ap"] for row in rows_of]
    assert low <= mid <= high and mid == pytest.approx(unseen[0] - unseen[1], abs=1e-5)
    assert len({row["split"] for row in rows if row["benchmark"] == "nyt10_given_differences"}) == 4 * 2
    linked = {key[3]: value for key, value in by_name.items() if key[0] == "nyt10_given_linked"}
    assert linked["seen_pairs_found"] <= 1 and linked["bags_found"] == linked["pairs_found"] + 1
    assert asked == [2] * 3 and ("nyt10_given_judged", "sentences judged by people") in {key[:2] for key in by_name}
    assert by_name["nyt10_given_match", "all pairs", "peer:KB match", "bag_r"] == 0.0
    for row in (hrere_experiments.NAIVE_ROW, hrere_experiments.PRINTED):
        assert 0 < by_name["nyt10_given", "all pairs", f"{row}{hrere_experiments.UNSTEADY}", "bag_ap"] <= 1
    assert ("nyt10_given", "all pairs", f"{hrere_experiments.NAIVE_ROW}{hrere_experiments.SLOWLY}", "bag_ap") in by_name
    assert {path.name for path in call.figures.iterdir()} == {f"hrere_nyt10_given.{kind}" for kind in ("png", "svg")}
    assert "naive − base" in render_tables([row for row in rows if row["benchmark"] == "nyt10_given_differences"])


def test_ids_of_knowledge_bases(data: pathlib.Path, maker: Any) -> None:
    store = maker.store("fb15k237")
    assert set(store.entities) >= {link(24), link(25)} and (link(24), BORN, link(25)) in set(store.facts())
    assert (link(0), BORN, link(5)) in set(maker.store("fb60k_nyt10_kg").facts()), "head, tail, relation"
    assert len(read_store([maker.folder / "fb60k_nyt10_kg.tsv"])) == 2 * PEOPLE


def test_types_as_facts(data: pathlib.Path, maker: Any) -> None:
    path = data / "riedel_entity_types" / "riedel_type_info.json"
    path.parent.mkdir()
    path.write_text(json.dumps({link(0): ["/person", "/person/author"]}))
    facts = set(maker.store("fb60k_types").facts())
    assert facts - set(maker.store("fb60k_nyt10_kg").facts()) == {
        (link(0), "/type/object/type", each) for each in ("/person", "/person/author")
    }
