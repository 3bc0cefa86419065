"""Loss of coreference: the likelihood of all right antecedents, and of the ends of phrases.

    L = − 1/|A| Σ_a log Σ_{c allowed} softmax(s_a)_c  −  1/|P| Σ_i log softmax(n_i)_{y_i}

Any mention of the entity is a right antecedent (Lee et al., EMNLP 2017). Where a text says of some names only that the
anaphor does not stand for them, all other candidates and none are allowed.
"""

from typing import Dict

from torch import Tensor
from torch.nn import functional as F

from .model import NEVER, CorefOutput


def coref_loss(outputs: CorefOutput, targets: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Compute L, the means over what is annotated; 0 without anything.

    targets (Dict[str, Tensor]): `allowed`, the right antecedents, the last column none; a row without any is not
        annotated. `ends`, the words of each phrase after its determiner, -1: not annotated. Shapes (A, C + 1), (S,)
    """
    allowed, ends = targets["allowed"], targets["ends"]
    logs = outputs.antecedents.log_softmax(1)
    right = logs.masked_fill(~allowed, NEVER).logsumexp(1)
    is_judged = allowed.any(1)
    antecedent = -right[is_judged].sum() / is_judged.sum().clamp(min=1)
    phrase = F.cross_entropy(outputs.phrases, ends.clamp(min=0), reduction="none")[ends >= 0]
    return {"antecedent": antecedent, "phrase": phrase.sum() / (ends >= 0).sum().clamp(min=1)}
