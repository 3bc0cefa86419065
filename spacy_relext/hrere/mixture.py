"""One probability from what a text says and what a knowledge base makes likely.

    "prob"    p = α p_L + (1 − α) p_G                      the paper's, at inference
    "logit"   p = softmax(α z_L + (1 − α) z_G)             the authors' code

A knowledge base has its say about pairs whose entities it knows, and about relations that it knows: of the others text
alone decides, and what text gives to the known ones together, no relation among them, is shared out anew among these.

Source: Xu and Barbosa, NAACL 2019.
"""

from typing import NamedTuple

import numpy

from ..scoring.calibration import average_precision
from ..scoring.probabilities import Bools, Floats, fit_temperature, softmax

# Temperatures and shares that are tried, on held-out bags.
TEMPERATURES = tuple(2.0 ** (step / 4) for step in range(-8, 13))

SHARES = tuple(step / 20 for step in range(21))


class Mixture(NamedTuple):
    """How both are mixed.

    share (float): α, that of the text, 0 to 1.
    text_temperature (float): What z_L is divided by.
    kb_temperature (float): What z_G is divided by.
    form (str): "prob" or "logit".
    """

    share: float
    text_temperature: float = 1.0
    kb_temperature: float = 1.0
    form: str = "prob"


class MixedProbs(NamedTuple):
    """Probabilities of G bags.

    probs (Floats): Of both. Shape (G, R)
    text (Floats): p_L. Shape (G, R)
    kb (Floats): p_G; 0 of bags and classes about which the knowledge base has no say. Shape (G, R)
    """

    probs: Floats
    text: Floats
    kb: Floats


def mix(text: Floats, kb: Floats, *, linked: Bools, shared: Bools, mixture: Mixture) -> MixedProbs:
    """Mix.

    text (Floats): z_L. Shape (G, R)
    kb (Floats): z_G. Shape (G, R)
    linked (Bools): Whether the knowledge base knows both entities. Shape (G,)
    shared (Bools): Whether it knows a class. Shape (R,)
    mixture (Mixture): How.
    RETURNS (MixedProbs): Of bags that are not linked, the probabilities are those of the text, bit for bit.
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
    """Find the mixture with the best average precision on held-out bags.

    Each side gets the temperature that makes what is true most likely; then the share is chosen, the largest of equally
    good ones.

    text (Floats): z_L. Shape (G, R)
    kb (Floats): z_G. Shape (G, R)
    gold (Bools): What is true; of a bag of which nothing is, class 0. Shape (G, R)
    linked (Bools): As for `mix`. Shape (G,)
    shared (Bools): As for `mix`. Shape (R,)
    form (str): "prob" or "logit".
    RETURNS (Mixture): 1 is the share where no bag is linked.
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
