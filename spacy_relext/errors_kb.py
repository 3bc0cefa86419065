"""Messages on knowledge bases, linked text and rankings; part of `errors.Errors`."""


class KbErrors:
    """Message templates of R700 to R799."""

    R700 = "[R700] {found} columns; expected six with tabs between ({expected}, {end}), or {end} as a seventh"
    R701 = "[R701] The sentence does not end in {end}, but in {found!r}: the line is cut off, or another format"
    R702 = "[R702] The column {column!r} is empty"
    R703 = "[R703] Tokens {start} to {end} (exclusive) hold nothing but white space; expected the words of an entity"
    R704 = (
        "[R704] The offsets of {role!r} hold {found}, but its name is {name}; expected offsets of the same words (they "
        "count characters of 'text' or, where there is 'token', tokens; the end is exclusive)"
    )
    R705 = "[R705] Subject and object are the same span ({string}); expected two"
    R706 = "[R706] {name} names the sentence {found}; expected numbers from 0 of the {count} sentences"
    R707 = "[R707] {role!r} of {name} is {found}; expected the number, from 0, of one of the {count} vertices"
    R710 = (
        "[R710] The {unit} {key!r} has two scores for the relation {relation!r}. Give each {unit} and relation one "
        "cell: the highest score, or another aggregate."
    )
    R711 = (
        "[R711] The {unit} {key!r} with the relation {relation!r} is among the facts, but its cell says that it is not "
        "gold. Mark its cell as gold, or take it out of the facts."
    )
    R712 = "[R712] Curves of one drawing must be of one unit, bag or mention; found {found}. Draw each unit by itself."
    R720 = "[R720] {path}: no format of a knowledge base; expected one of {expected}, each also with .gz behind it."
    R721 = "[R721] {path}: not found."
    R722 = "[R722] {place}: found {found}; expected {expected}."
    R723 = "[R723] {path}: the first line names the columns {found}. Read it with --columns {columns}."
    R724 = "[R724] {place}: {reason}"
    R725 = "[R725] {path}: no facts in it{skipped}."
    R726 = "[R726] {path} is no folder of knowledge-base embeddings: {reason}. `spacy relext kb train` makes one."
    R727 = "[R727] The embeddings know no {kind} {name!r}{near}."
    R728 = (
        "[R728] None of the {linked} linked entities of {corpus} is in {kb}. Are ids written alike? --strip cuts off "
        "beginnings; entities of the corpus need a kb_id."
    )
    R729 = (
        "[R729] No entity of the knowledge base is in the {docs} texts of {path}; it has {names} names. Names are "
        "in a table with `id` and `label` (a second file of KB); --by link reads links."
    )
    R730 = (
        "[R730] {name}: none of the {linked} linked entities of {where} is among the {kb} of the knowledge base. Are "
        "ids written alike? Entities need a kb_id, which `spacy relext align` or an entity linker gives them."
    )
    R731 = (
        "[R731] {name}: the knowledge base {kb} knows none of the relations ({found}); it has {expected}. Relations "
        "must have the same names in corpus and knowledge base."
    )
    R732 = (
        "[R732] No text of {path} has a marked pair or a triple, and a bag is what is said of one. `spacy relext "
        "align` and the converters nyt10 and opennre mark pairs."
    )
    R733 = (
        "[R733] The training in {path} cannot go on: {reason}. Give the files and settings that it was begun with, or "
        "leave --resume out to begin anew."
    )
    R740 = (
        "[R740] In the {docs} texts of {path} no entity is linked to one of the knowledge base; {links} are linked to "
        "others. Are ids written alike? --by name looks for names instead."
    )
    R741 = (
        "[R741] --curve draws how relations are ranked, and no component of this pipeline ranks them ({found}): a "
        "hrere_classifier with ranking = true does."
    )


class KbWarnings:
    """Templates of warnings W700 to W799."""

    W700 = (
        "[W700] {name}: the knowledge base does not know {count} of the {total} relations ({found}); about them the "
        "text alone decides."
    )
    W701 = "[W701] {path}: {count} of {total} texts have no marked pair or triple and are not read."
