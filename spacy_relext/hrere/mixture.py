"""Mixture of the probabilities of text and knowledge base.

    "prob"    p = α p_L + (1 − α) p_G                      the paper's, at inference
    "logit"   p = softmax(α z_L + (1 − α) z_G)             the authors' code

The mixture covers only pairs whose entities are in the knowledge base, and relations that are in it; the text alone
decides on the others. It redistributes the total probability that the text gives to the covered classes, including no
relation.

Source: Xu and Barbosa, NAACL 2019.
"""

from typing import NamedTuple

import numpy

from ..scoring.probabilities import Bools, Floats, fit_temperature, softmax
from ..scoring.thresholds import average_precision

MIXES = ("prob", "logit")

# Grids that are searched on held-out bags.
TEMPERATURES = tuple(2.0 ** (step / 4) for step in range(-8, 13))

SHARES = tuple(step / 20 for step in range(21))


class Mixture(NamedTuple):
    """Parameters of a mixture.

    share (float): α, 0 to 1.
    text_temperature (float): Divisor of z_L.
    kb_temperature (float): Divisor of z_G.
    form (str): One of `MIXES`.
    """

    share: float
    text_temperature: float = 1.0
    kb_temperature: float = 1.0
    form: str = "prob"


class MixedProbs(NamedTuple):
    """Probabilities of G bags. Shapes (G, R)

    probs (Floats): p.
    text (Floats): p_L.
    kb (Floats): p_G; 0 for bags and classes that the mixture does not cover.
    """

    probs: Floats
    text: Floats
    kb: Floats


def mix(text: Floats, kb: Floats, *, linked: Bools, shared: Bools, mixture: Mixture) -> MixedProbs:
    """Mix probabilities; bags that are not linked keep exactly those of the text.

    text, kb (Floats): z_L and z_G. Shapes (G, R)
    linked (Bools): Whether the knowledge base has both entities. Shape (G,)
    shared (Bools): Whether it has the class. Shape (R,)
    """
    z_text, z_kb = text.astype("float64") / mixture.text_temperature, kb.astype("float64") / mixture.kb_temperature
    p_text = softmax(z_text)
    p_kb = numpy.zeros_like(p_text)
    probs = p_text.copy()
    if not (linked.any() and shared.any()):
        return MixedProbs(probs, p_text, p_kb)
    both = numpy.ix_(linked, shared)
    p_kb[both] = softmax(z_kb[both])
    mass = 1.0 if shared.all() else p_text[both].sum(1, keepdims=True)
    if mixture.form == "prob":
        probs[both] = mixture.share * p_text[both] + (1.0 - mixture.share) * mass * p_kb[both]
    else:
        probs[both] = mass * softmax(mixture.share * z_text[both] + (1.0 - mixture.share) * z_kb[both])
    return MixedProbs(probs, p_text, p_kb)


def fit_mixture(text: Floats, kb: Floats, gold: Bools, *, linked: Bools, shared: Bools, form: str) -> Mixture:
    """Find the mixture with the best average precision on held-out bags; other arguments as for `mix`.

    Each side gets the temperature with the highest likelihood of the gold classes; then the largest of the best shares
    is chosen. If no linked bag has a gold class of the knowledge base, the share is 1.

    gold (Bools): Gold classes; class 0 for bags without any. Shape (G, R)
    form (str): One of `MIXES`.
    """
    options = {"linked": linked, "shared": shared}
    mixture = Mixture(1.0, _temperature(text, gold), 1.0, form)
    both = numpy.ix_(linked, shared)
    known = gold[both]
    rows = known.any(1)
    if not rows.any():
        return mixture
    mixture = mixture._replace(kb_temperature=_temperature(kb[both][rows], known[rows]))
    best = -1.0
    for share in SHARES:
        probs = mix(text, kb, mixture=mixture._replace(share=share), **options).probs
        score = average_precision(probs[:, 1:].ravel(), gold[:, 1:].ravel(), n_gold=int(gold[:, 1:].sum())) or 0.0
        if score >= best:
            best, chosen = score, share
    return mixture._replace(share=chosen)


def _temperature(logits: Floats, gold: Bools) -> float:
    """Fit the temperature of one side; the true classes of a bag share its probability equally."""
    return fit_temperature(logits, gold / numpy.maximum(gold.sum(1, keepdims=True), 1), grid=TEMPERATURES)
