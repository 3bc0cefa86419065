"""All messages in one place: what was found, what was expected, which key or file to change."""


class Errors:
    """Message templates; the code at the front makes a message easy to look up."""

    R001 = "[R001] Subject and object of a {relation!r} triple are the same span ({text!r}). A triple needs two spans."
    R002 = "[R002] Offsets {start}:{end} do not lie in a text of {length} characters (start < end expected)."
    R003 = (
        "[R003] Component {name!r} has no labels. Give it training data with triples, or set "
        "[initialize.components.{name}.labels]."
    )
    R004 = (
        "[R004] Component {name!r} is not initialized. Call nlp.initialize(), train it with `spacy train`, or load a "
        "trained pipeline."
    )
    R005 = (
        "[R005] The model of {name!r} is {found}, but this component needs a model built by {expected}. Change "
        "[components.{name}.model]."
    )
    R006 = "[R006] {package} is needed for {purpose} and is not installed: pip install 'spacy-relext[{extra}]'."
    R007 = "[R007] {key} is {found!r}; expected {expected}."
    R008 = (
        "[R008] No encoder at {path!r}. It must be a folder with config.json, tokenizer.json and model.safetensors, "
        "or the name of a model on the Hugging Face Hub. `python scripts/get_encoder.py` fetches the default one."
    )
    R009 = "[R009] The weights do not fit the model: {detail}. The folder was saved with another configuration."


class Warnings:
    """Templates of warnings."""

    W001 = "[W001] {name}: relation {label!r} is unknown to the model (not seen at initialize) and is left out in training."
    W002 = "[W002] {name}: {count} triples cross a sentence boundary or span no whole token; they are left out in training."
