"""Default configs of `kd_teacher` and `kd_classifier`: a small C-GCN that needs no download."""

from ..scoring.triples import TRIPLE_SCORE_WEIGHTS

TOK2VEC = """
@architectures = "spacy.HashEmbedCNN.v2"
pretrained_vectors = null
width = 96
depth = 1
embed_size = 2000
window_size = 1
maxout_pieces = 3
subword_features = true
"""

TEACHER_CONFIG = f"""
[model]
@architectures = "spacy_relext.GraphTeacher.v1"
fusion = "vector"
input_dropout = 0.1
graph_dropout = 0.1

[model.tok2vec]
{TOK2VEC}

[suggester]
@misc = "spacy_relext.EntityPairs.v1"
"""

STUDENT_CONFIG = f"""
[model]
@architectures = "spacy_relext.GraphStudent.v1"
input_dropout = 0.1
graph_dropout = 0.1

[model.tok2vec]
{TOK2VEC}

[suggester]
@misc = "spacy_relext.EntityPairs.v1"
"""

WEIGHTS = dict(TRIPLE_SCORE_WEIGHTS)
