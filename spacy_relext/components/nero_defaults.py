"""Default config of `nero_grounder`: a small convolutional encoder that needs no download."""

from ..scoring.triples import TRIPLE_SCORE_WEIGHTS
from .default_encoder import TOK2VEC

GROUNDER_CONFIG = f"""
[model]
@architectures = "spacy_relext.SharedGrounder.v1"

[model.tok2vec]
{TOK2VEC}
[suggester]
@misc = "spacy_relext.EntityPairs.v1"

[learning]
@misc = "spacy_relext.RuleLearning.v1"
"""

WEIGHTS = dict(TRIPLE_SCORE_WEIGHTS)
