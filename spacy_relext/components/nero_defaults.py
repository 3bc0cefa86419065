"""Default config of `nero_grounder`: a small convolutional encoder that needs no download."""

from ..scoring.triples import TRIPLE_SCORE_WEIGHTS

GROUNDER_CONFIG = """
[model]
@architectures = "spacy_relext.SharedGrounder.v1"

[model.tok2vec]
@architectures = "spacy.HashEmbedCNN.v2"
pretrained_vectors = null
width = 96
depth = 4
embed_size = 2000
window_size = 1
maxout_pieces = 3
subword_features = true

[suggester]
@misc = "spacy_relext.EntityPairs.v1"

[learning]
@misc = "spacy_relext.RuleLearning.v1"
"""

WEIGHTS = dict(TRIPLE_SCORE_WEIGHTS)
