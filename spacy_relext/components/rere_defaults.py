"""Default configs of `rere_detector` and `rere_extractor`: a small convolutional encoder that needs no download."""

from ..scoring.relations import RELATION_SCORE_WEIGHTS
from ..scoring.triples import TRIPLE_SCORE_WEIGHTS
from .default_encoder import TOK2VEC

DETECTOR_CONFIG = f"""
[model]
@architectures = "spacy_relext.SharedDetector.v1"
hidden = 128
dropout = 0.1

[model.tok2vec]
{TOK2VEC}
"""

EXTRACTOR_CONFIG = f"""
[model]
@architectures = "spacy_relext.SharedExtractor.v1"
hidden = 128
pair_hidden = 256
dropout = 0.1
span_threshold = 0.05
max_span_length = 15
top_k = 6
span_mode = "soft"

[model.tok2vec]
{TOK2VEC}
"""

# Every key of the scorers, since `spacy train` reports those that stand here; None hides one, 0 shows it.
# The triples are what counts: together the two components weigh the detector's F by a quarter.
DETECTOR_WEIGHTS = {**RELATION_SCORE_WEIGHTS, "relations_micro_f": 0.33}
EXTRACTOR_WEIGHTS = dict(TRIPLE_SCORE_WEIGHTS)
