"""Default config of `hrere_classifier`: a small convolutional encoder that needs no download."""

from ..scoring.triples import TRIPLE_SCORE_WEIGHTS
from .default_encoder import TOK2VEC

CLASSIFIER_CONFIG = f"""
[model]
@architectures = "spacy_relext.SharedBagClassifier.v1"

[model.tok2vec]
{TOK2VEC}
[suggester]
@misc = "spacy_relext.EntityPairs.v1"
"""

WEIGHTS = dict(TRIPLE_SCORE_WEIGHTS)
