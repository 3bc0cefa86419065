"""Warnings on pairs of entities and their soft labels; part of `errors.Warnings`."""


class PairWarnings:
    """Templates of W400 to W499."""

    W400 = (
        "[W400] {name}: {count} marked pairs of a batch cover no token, or the same tokens twice, and are not "
        "classified."
    )
    W401 = (
        "[W401] {name}: {count} triples of {where} have no pair among the suggested ones: their arguments are no "
        "entities, or stand in different sentences. They are not learned, and count as misses in the scores."
    )
    W402 = (
        "[W402] {name}: there are pairs further apart than {max_pieces} word pieces; one of their arguments is not "
        "read. Raise max_pieces, or set max_distance of the suggester."
    )
    W403 = (
        "[W403] {name}: there are texts without a dependency parse, which are read as chains. Put a parser before it, "
        "or copy heads into the corpus."
    )
    W404 = (
        "[W404] {name}: {missing} of the {total} pairs of {where} have no soft labels; they are learned from their "
        "gold labels alone."
    )
    W405 = (
        "[W405] {name}: all pairs of {where} have the types {types}, so that types say nothing about relations. Give "
        "entities labels of their own, or a lexicon of nouns: [initialize.components.{name}.lexicon]."
    )
    W406 = (
        "[W406] {name}: nothing has looked for entities in these texts, so that there is no pair to classify. Put a "
        "component before it that finds them, such as an ner, or set doc.ents."
    )
    W407 = (
        "[W407] {name}: the shifts of {count} texts take all of the {mebibytes} MiB there are; further texts are "
        "learned as they are. With adversarial_reuse = false all texts are moved, in nearly twice the time."
    )
    W408 = (
        "[W408] {name}: spacy_relext.AnnotatedPairs.v1 reads marked pairs alone, and none is marked in these texts, so "
        "that there is no pair to classify. Give records with `pairs`, or classify all pairs of entities: "
        'spacy.load(path, config={{"components": {{"{name}": {{"suggester": {{"@misc": '
        '"spacy_relext.EntityPairs.v1"}}}}}}}}).'
    )
