"""Text as it is found: white space between words changes no triple and is no argument's first or last character."""

import re
import textwrap
from typing import Callable, Dict, List

import pytest
from spacy.language import Language
from spacy.tokens import Doc

from spacy_relext.annotations.store import get_records
from tests.contract.cases import MethodCase
from tests.contract.conftest import NAME, Trained

FORMS: Dict[str, Callable[[str], str]] = {
    "two spaces": lambda text: text.replace(" ", "  "),
    "tabs": lambda text: text.replace(" ", "\t"),
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "wrapped": lambda text: textwrap.fill(text, 40),
    "padded": lambda text: f" \n{text} \n",
}


def strings(doc: Doc) -> List[List[str]]:
    """Subject, relation and object of each triple, with single spaces."""
    records = [record for record in get_records(doc) or [] if record["source"] == NAME]
    parts = [(doc.text[slice(*r["subject"])], r["relation"], doc.text[slice(*r["object"])]) for r in records]
    assert all(part == part.strip() for triple in parts for part in triple)
    return sorted([re.sub(r"\s+", " ", part) for part in triple] for triple in parts)


@pytest.mark.parametrize("form", FORMS)
def test_white_space_between_words_changes_no_triple(form: str, trained: Trained, case: MethodCase) -> None:
    if case.lang != "en":
        pytest.skip("there are no spaces between Chinese words")
    nlp: Language = trained.nlp
    for text in trained.texts:
        assert strings(nlp(FORMS[form](text))) == strings(nlp(text)), text
