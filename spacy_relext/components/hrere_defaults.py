"""Default config of `hrere_classifier`: a small convolutional encoder that needs no download."""

from ..scoring.triples import TRIPLE_SCORE_WEIGHTS

CLASSIFIER_CONFIG = """
[model]
@architectures = "spacy_relext.SharedBagClassifier.v1"

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
"""

WEIGHTS = dict(TRIPLE_SCORE_WEIGHTS)
