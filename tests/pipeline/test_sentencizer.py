import textwrap
from typing import Any, List

import pytest
import spacy


def sentences(text: str, lang: str = "en", **config: Any) -> List[str]:
    nlp = spacy.blank(lang)
    nlp.add_pipe("relext_sentencizer", config=config)
    return [sentence.text for sentence in nlp(text).sents]


@pytest.mark.parametrize(
    "parts",
    [
        ["J. R. Holm met approx. 5 men in St. Ives.", "He left (ca. 1900)."],
        ["No. 5 was G. W. Vane, not Dr. Orr.", "It rose 3.5 percent."],
        ["She bought Vardal Inc.", "The firm moved to the U.S.", "In 1990 it closed."],
        ['"Stop!" he said.', '"Why?"', "She left.", "(He stayed.)"],
        ['He sang in " Tide. "', "The album sold well."],
        ["Vane! was founded by Ada Orr.", "See www.vane.com."],
        ["He waited ... and left.", "Nobody came!", "Why not?"],
        ["Ada Orr left. -----", "Ole Holm ----------", "came _____"],
    ],
)
def test_punctuation(parts: List[str]) -> None:
    assert sentences(" ".join(parts)) == parts


def test_blank_lines_headings_and_lists() -> None:
    assert sentences("Espoo\n\nVane was founded by Ada Orr.") == ["Espoo\n\n", "Vane was founded by Ada Orr."]
    assert sentences("Early life\nOrr was born in Vardal.") == ["Early life\n", "Orr was born in Vardal."]
    items = ["Members:\n", "- Ada Orr\n", "- Ole Holm\n", "1. One was here.\n", "2) Two was not."]
    assert sentences("".join(items)) == items


def test_wrapped_lines_stay_together() -> None:
    text = "The company that Ada Orr had founded in the spring of 1911 was sold to\nVane in 1920 and\nclosed."
    assert sentences(text) == [text]
    heading = "Early life\nOrr was born in Vardal."
    assert sentences(heading, heading_length=0) == [heading]


PROSE = (
    "Ada Orr was born in the old town of Vardal and studied in Espoo. In 1911 she founded Vane, which Ole Holm "
    "Jensen bought for Nordlys in 1920. It is based in St. Ives, Cornwall, and closed its old mill in Espoo in 1996. "
    "Nobody knows why."
)


@pytest.mark.parametrize("width", [40, 50, 60, 72, 80])
def test_a_wrapped_paragraph_has_the_sentences_of_its_text(width: int) -> None:
    wrapped = textwrap.fill(PROSE, width)
    assert [" ".join(each.split()) for each in sentences(wrapped)] == sentences(PROSE)
    below = f"Early life\n{wrapped}\n\nLater life\n{wrapped}"
    assert [" ".join(each.split()) for each in sentences(below)] == [
        *("Early life", *sentences(PROSE)),
        *("Later life", *sentences(PROSE)),
    ]


@pytest.mark.parametrize("blank", ["  ", "\t", "\u00a0", " \u00a0 "])
def test_white_space_between_words_ends_no_sentence(blank: str) -> None:
    assert [" ".join(each.split()) for each in sentences(PROSE.replace(" ", blank))] == sentences(PROSE)


@pytest.mark.parametrize(
    "lines",
    [
        ["Members", "Ada Orr", "Ole Holm"],
        ["Vane buys Orr for four billion in cash", "Holm named chief executive of Nordlys", "Espoo wins the cup"],
        ["Founder: Ada Orr of Vardal in Norway", "Seat: Espoo, Finland, and Bergen"],
    ],
)
def test_short_lines_without_punctuation_are_a_list(lines: List[str]) -> None:
    assert [each.strip() for each in sentences("\n".join(lines))] == lines


def test_languages_and_settings() -> None:
    assert sentences("彼は東京で生まれた。彼女は京都に住む。", "ja" if _has_japanese() else "zh")[0].endswith("。")
    assert sentences("Die Fa. Vane, vgl. Orr, gibt es nicht mehr. Sie schloss 1920.", "de") == [
        "Die Fa. Vane, vgl. Orr, gibt es nicht mehr.",
        "Sie schloss 1920.",
    ]
    assert len(sentences("The blk. Vane stood there.")) == 2
    assert len(sentences("The blk. Vane stood there.", abbreviations=["Blk."])) == 1
    with pytest.raises(ValueError, match="heading_length"):
        sentences("x", heading_length=-1)


def _has_japanese() -> bool:
    try:
        spacy.blank("ja")
    except ImportError:
        return False
    return True


def test_boundaries_of_others_stay_unless_overwritten() -> None:
    for overwrite, count in ((False, 1), (True, 2)):
        nlp = spacy.blank("en")
        nlp.add_pipe("relext_sentencizer", config={"overwrite": overwrite})
        doc = nlp.make_doc("He left. She stayed.")
        for token in doc[1:]:
            token.is_sent_start = False
        assert len(list(nlp.get_pipe("relext_sentencizer")(doc).sents)) == count


@pytest.mark.parametrize("text", ["", " ", "\n\n", ".", "...", "\n.\n", '"', "A.", "1.\n", "- \n-", "(\n\n)"])
def test_odd_texts(text: str) -> None:
    assert "".join(sentences(text)) == text


def test_settings_survive(tmp_path: Any) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("relext_sentencizer", config={"abbreviations": ["blk"]})
    nlp.to_disk(tmp_path)
    for loaded in (spacy.load(tmp_path), spacy.blank("en").from_config(nlp.config).from_bytes(nlp.to_bytes())):
        assert len(list(loaded("The blk. Vane stood there. He left.").sents)) == 2
