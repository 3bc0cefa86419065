"""Default config of `selfore_clusterer`."""

from typing import Dict, Optional

CLUSTERER_CONFIG = """
[model]
@architectures = "spacy_relext.PieceClusterer.v1"
name = "assets/encoder/all-MiniLM-L6-v2"

[suggester]
@misc = "spacy_relext.EntityPairs.v1"

[clustering]
@misc = "spacy_relext.Clustering.v1"
"""

# Scores that read gold relations choose nothing: they have no weight.
WEIGHTS: Dict[str, Optional[float]] = {
    "clusters_information": 1.0,
    **dict.fromkeys(
        ("b3_p", "b3_r", "b3_f", "homogeneity", "completeness", "v", "ari", "clusters", "clusters_coverage")
    ),
}
