"""Evidence of pair classifiers, drawn."""

import re
from typing import Any, Dict

import spacy
from spacy.tokens import Doc

from spacy_relext import get_records, set_triples
from spacy_relext.visuals.evidence import draw_evidence

TEXT = "Ada wrote to Babbage from < Paris ."
EVIDENCE = {
    "entity_types": ["PER", ""],
    "local": 3.0,
    "auxiliary": -20.0,
    "attention": [[4, 9, 0.5], [13, 20, 0.25]],
}


def make_doc(evidence: Dict[str, Any], text: str = TEXT) -> Doc:
    doc = spacy.blank("en")(text)
    start = text.index("Babbage")
    set_triples(doc, [{"subject": (0, 3), "relation": "r", "object": (start, start + 7), "evidence": evidence}])
    return doc


def draw(evidence: Dict[str, Any], text: str = TEXT) -> str:
    doc = make_doc(evidence, text)
    records = get_records(doc)
    assert records
    return draw_evidence(doc, records[0])


def plain(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html)


def test_tokens_are_darker_where_attention_is_heavier() -> None:
    html = draw({"attention": EVIDENCE["attention"]})
    shades = [float(shade) for shade in re.findall(r"rgb\([\d ]+ / ([\d.]+)\)", html)]
    assert shades == [0.9, 0.53]
    assert "Ada wrote to Babbage from &lt; Paris" in plain(html)
    assert '<span class="argument subject">Ada</span>' in html and "argument object" in html


def test_no_token_is_attended() -> None:
    html = draw({"attention": [[4, 9, 0.0]]})
    assert "Ada wrote to Babbage" in plain(html) and "rgb(" not in html


def test_parts_are_bars_for_or_against() -> None:
    html = draw(EVIDENCE)
    assert 'class="for" style="width: 18.8%"' in html and "+3.00" in html
    assert 'class="against" style="width: 50.0%"' in html and "-20.00" in html
    assert "PER → –" in plain(html)


def test_the_prior_is_a_share() -> None:
    html = draw({"entity_types": ["PER", "LOC"], "prior": 0.25, "text": 1.0, "types": 0.5})
    assert 'class="share" style="width: 25.0%"' in html and "0.25" in plain(html) and "types" in plain(html)


def test_other_evidence_is_listed_and_none_is_nothing() -> None:
    assert draw({"<rule>": "<x>", "pair": 0.5, "more": [1]}) == "&lt;rule&gt;: &lt;x&gt;, pair: 0.5, more: [1]"
    assert draw({}) == ""


def test_a_rule_that_fires() -> None:
    html = draw({"how": "exact", "rule": "<r>", "pattern": "SUBJ-<P> wrote & XSUBJ-x OBJ-W|X", "match": 1.0})
    assert plain(html) == "rule &lt;r&gt; SUBJ-&lt;P&gt; wrote &amp; XSUBJ-x OBJ-W|X (exact)"
    assert '<span class="argument subject">SUBJ-&lt;P&gt;</span>' in html and html.count("argument") == 2
    assert "share" not in html


def test_a_rule_that_the_text_is_like() -> None:
    html = draw({"how": "soft", "rule": "2", "pattern": "SUBJ-P wrote OBJ-W", "match": 0.834, "more": 1})
    assert "like rule 2 SUBJ-P wrote OBJ-W, match 0.83" in plain(html)
    assert 'class="share" style="width: 83.4%"' in html and html.endswith("more: 1")
    assert "no rule of this relation fits" in draw({"how": "soft"})


def test_long_texts_show_what_is_marked() -> None:
    text = TEXT.replace("Paris", "Paris , " + "far " * 100)
    html = draw({"attention": [[0, 3, 1.0]]}, text)
    assert plain(html).endswith(" …") and len(plain(html)) < 200


BAG = {
    "text": 0.75,
    "kb": 0.5,
    "ids": ["Q1", "<Q2>"],
    "mentions": [[0, 3, 13, 20, 0.25], [13, 20, 28, 33, 0.75]],
}


def test_a_bag_shows_what_text_and_knowledge_base_say() -> None:
    html = draw(BAG)
    shares = re.findall(r'class="share" style="width: ([\d.]+)%"', html)
    assert shares == ["75.0", "50.0", "25.0", "75.0"], "probabilities of both, then weights of the mentions"
    text = plain(html)
    assert "the text alone" in text and "the knowledge base alone" in text and "Q1 → &lt;Q2&gt;" in text
    assert "+0.75" not in text, "a probability is no logit"


def test_a_bag_without_links() -> None:
    html = draw({"text": 0.75, "ids": ["", ""], "mentions": [[0, 3, 13, 20, 1.0]]})
    assert plain(html) == "the text alone0.75"
    assert "share" not in draw({"text": 0.75, "ids": "x", "mentions": []}), "of another form: listed as it is"
