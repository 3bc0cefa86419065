"""What a component over pairs knows besides settings and weights: all of it must be there when it is loaded."""

from pathlib import Path

import pytest
import spacy
from thinc.api import Config

from spacy_relext.pipeline.settings import TOK2VEC

FACTORIES = ("kd_teacher", "kd_classifier", "nero_grounder", "selfore_clusterer", "hrere_classifier")
NAME = "relations"


@pytest.mark.parametrize("factory", FACTORIES)
def test_missing_knowledge_is_named(factory: str, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    encoder = Config().from_str(f"[encoder]\n{TOK2VEC}")["encoder"]
    pipe = nlp.add_pipe(factory, name=NAME, config={"model": {"encoder": encoder}})
    nlp.to_disk(tmp_path)
    folder = tmp_path / NAME / "knowledge"
    assert "lexicon.json" in {path.name for path in folder.iterdir()}
    with pytest.raises(ValueError, match=r"\[R012\] .*lexicon\.json"):
        pipe.from_bytes(pipe.to_bytes(exclude=["knowledge"]))
    assert pipe.from_bytes(pipe.to_bytes(exclude=["knowledge"]), exclude=["knowledge"]) is pipe
