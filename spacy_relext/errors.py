"""All messages to users, sorted by code: what is wrong, what was expected, which setting or file to change."""

import importlib
from numbers import Real
from types import ModuleType
from typing import Sequence


class Errors:
    """Templates of error messages. R700 to R706 say what is wrong with a record; R100 says where, and what to do."""

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
        "[R008] No encoder at {path!r}. It must be a folder with config.json, tokenizer.json and model.safetensors, or "
        "the name of a model on the Hugging Face Hub. `python scripts/get_encoder.py` fetches the default one."
    )
    R009 = "[R009] The weights do not fit the model: {detail}. The folder was saved with another configuration."
    R010 = (
        "[R010] No component of this pipeline has a threshold to fit (components: {found}). `spacy relext tune` needs "
        "a trained pipeline with a component such as rere_extractor."
    )
    R011 = (
        "[R011] The {count} documents to tune on have no gold triples; those that a pipeline found are none. Use an "
        "annotated corpus: `spacy relext annotate correct` shows a pipeline's triples to a person who judges them."
    )
    R012 = (
        "[R012] {name!r} cannot be loaded: {where} lacks {files}. Copy the whole directory of the pipeline, or "
        "initialize and train the component again."
    )
    R013 = (
        "[R013] {name!r} finds no pair in the {count} documents to tune on: no component has set entities. Use the "
        "entities of the corpus (`spacy relext tune --gold-ents`), or add a component before it that sets doc.ents, "
        "such as an ner."
    )
    R014 = (
        "[R014] spacy_relext.warmup_linear.v1 does not know the length of the training: total_steps is 0. Set "
        '[initialize.before_init] @callbacks = "spacy_relext.set_total_steps.v1", or total_steps to a number.'
    )
    R015 = (
        "[R015] set_total_steps: [training.optimizer] learn_rate is {found!r}; expected a schedule with total_steps, "
        "such as spacy_relext.warmup_linear.v1. Change it, or remove [initialize.before_init]."
    )
    R016 = (
        "[R016] set_triples: {what}. Expected a list of (subject, relation, object[, score[, evidence]]), of dicts "
        "with these keys, or of Triples. Subject and object are spans of the Doc, such as doc[0:2] or "
        "doc.char_span(0, 12), or pairs of character offsets; the relation is a string."
    )
    R017 = "[R017] No document to merge. Give one or more that share a vocabulary."
    R018 = (
        "[R018] The training has no end: max_steps is {max_steps}, max_epochs {max_epochs}. Set one of the two in "
        "[training] above 0, or give the learning rate (total_steps) and the callback (steps) a number."
    )
    R019 = (
        "[R019] {name}: {path} {found}, so the folder is incomplete or damaged. Copy it again; if you changed the "
        "file on purpose, write {{}} into files.json beside it."
    )
    R020 = "[R020] {path} cannot be read: {reason}. It is damaged or of another kind; copy it again, or make it anew."
    R021 = "[R021] {name!r} cannot be loaded from {path}: {reason}. Copy the whole pipeline again, or train it anew."
    R030 = "[R030] {place}: {reason}. Expected a schema in YAML, or in JSON if the file ends in .json."
    R031 = "[R031] {place}: {key}: found {found}; expected {expected}."
    R032 = (
        "[R032] {name!r} has no schema. Set [initialize.components.{name}] schema_path to a YAML or JSON file of "
        "relations."
    )
    R033 = (
        "[R033] {path}: {reason}. Expected relations in OWL or RDFS, or a schema in YAML or JSON: relations: {{NAME: "
        "{{...}}}}."
    )
    R100 = (
        "[R100] {where}: {what}. Correct the record; `spacy relext convert` skips and counts up to a tenth of such "
        "records, with --malformed any all of them."
    )
    R101 = "[R101] {path}: {what}. Expected UTF-8 text: {expected}."
    R102 = "[R102] Unknown format {found!r}; expected one of: {expected}."
    R103 = "[R103] No record of {paths} could be read as {format!r}; nothing was written. {detail}"
    R104 = "[R104] Output {path!r} must end in '.spacy' (a file); use --shard N to write a folder of such files."
    R105 = "[R105] {path!r} is both input and output, and would be overwritten while it is read. Choose another output."
    R106 = "[R106] The output folder {path!r} has other .spacy files ({found}). Empty it, or choose another folder."
    R107 = "[R107] {option} is {found!r}; expected {expected}."
    R108 = "[R108] No tokenizer for the language {lang!r}: {reason}. Use a code such as 'en' or 'zh' as --lang."
    R109 = (
        "[R109] No pipeline could be loaded from {path!r}: {reason}. Use the folder of a trained pipeline or the name "
        "of an installed package as --pipeline."
    )
    R111 = "[R111] No corpus at {path!r}. Expected a .spacy file, or a folder of them, made by `spacy relext convert`."
    R112 = "[R112] {path!r} is not a corpus that spaCy can read: {reason}. Create it again with `spacy relext convert`."
    R113 = "[R113] A corpus reader has no path. Set [paths.train] or [paths.dev], or `--paths.train FILE`."
    R114 = "[R114] Expected missing fraction: rate {rate!r}, triples {triples!r}; expected 0 to 1, and 1 or more."
    R115 = "[R115] The tokenizer changed the text {text!r} to {found!r}; character offsets would no longer hold."
    R116 = "[R116] No input file {path!r}: {what}. Use the data files themselves."
    R117 = "[R117] No document of {path!r} could be read or remains; nothing was written."
    R119 = "[R119] {path!r} has {docs} documents; expected at least one for each of {folds} folds."
    R120 = (
        "[R120] {path}: {count} documents have entities, and not one has a relation. Confirm the documents in doccano "
        "before the export, and check that the project uses relations."
    )
    R121 = "[R121] The output {path!r} is a file or a folder that is not empty. Choose another folder."
    R122 = (
        "[R122] None of the {count} documents has a relation layer, a type with the features Governor and Dependent. "
        "Export the annotation with its type system."
    )
    R123 = "[R123] {option} is not an option of the format {format!r}, but of {expected}. Remove it."
    R124 = "[R124] {path}: {found}. Export the project as JSON: other exports of Label Studio have no relations."
    R125 = "[R125] {path!r} has no plain text. Use `spacy relext convert jsonl` for JSON lines; text needs .txt files."
    R126 = "[R126] It looks like {format}."
    R127 = "[R127] It looks like {format}: use `spacy relext convert {format}`."
    R128 = (
        "[R128] {skipped} of {records} records are malformed, more than a tenth; nothing was written. First problem: "
        "{problem}. Correct the file, or write the other records with --malformed any."
    )
    R129 = (
        "[R129] Not one of {count} documents is annotated{found}; nothing was written. Use the format `text` for texts "
        "without annotation, or --malformed any. {likeness}"
    )
    R131 = "[R131] The record has the keys {found}, none of which is annotation such as {expected}"
    R132 = (
        "[R132] The documents ({count}) are too few for --split: {parts} would be empty; nothing was written. Use "
        "other shares or more documents; the records of one document (key doc_id, title or id) stay together."
    )
    R200 = (
        "[R200] No pipeline could be loaded from {path!r}: {reason}. Use a folder that `spacy train` wrote (such as "
        "training/model-best) or the name of an installed package."
    )
    R201 = "[R201] --gpu-id {gpu_id}: {reason}. Leave the option out to run on the CPU."
    R202 = (
        "[R202] No input at {path!r}. Expected a text file (one document per line), a .jsonl file, a .spacy corpus, a "
        "folder of .txt files, or - for standard input."
    )
    R203 = "[R203] {path}, line {line}: {what}."
    R204 = "[R204] {where}: {found}; expected a JSON object with a string under 'text'."
    R205 = (
        "[R205] {where}: {length} characters, more than the pipeline accepts ({limit}). Split the text into shorter "
        "documents."
    )
    R206 = "[R206] {option} is {found!r}; expected one of: {expected}."
    R208 = (
        "[R208] None of the {count} documents of {path!r} is annotated with triples, so there is nothing to compare "
        "with."
    )
    R209 = "[R209] {what}: {found}; expected {expected}."
    R210 = "[R210] --label-filter leaves no relation. In the corpus: {gold}. Known to the pipeline: {known}."
    R211 = "[R211] No file {path!r}. Use an existing file, or a text of more than one word."
    R212 = "[R212] Cannot serve on port {port}: {reason}. Choose another port with --port."
    R214 = "[R214] No output for the drawing: use --html FILE.html or --svg FILE.svg."
    R216 = "[R216] Cannot open {path!r}: {reason}."
    R217 = "[R217] {path!r} is both input and output, and would be overwritten while it is read. Choose another output."
    R218 = "[R218] --n-process {n_process} cannot be combined with --gpu-id {gpu_id}. Use one process on a GPU."
    R219 = "[R219] {where}: the text has an invalid Unicode character (half of a surrogate pair)."
    R220 = (
        "[R220] No component of the pipeline detects relations (pipeline: {found}), so gold relations cannot replace "
        "its output. Remove --gold-relations."
    )
    R221 = "[R221] The text has no triple, so there is no drawing for {path!r}. An .html page shows the text as well."
    R223 = "[R223] --beta {beta:g} and --precision {precision:g} are two goals. Choose one of them."
    R224 = "[R224] {path!r} is not a readable config: {reason}. `spacy debug config` says more."
    R225 = (
        "[R225] No corpus to read: {path!r} has no [corpora] with a path. Name them after the config: `spacy relext "
        "debug-data {path} train.spacy dev.spacy`."
    )
    R227 = "[R227] {path!r} already exists. Choose another name, or replace it with --force."
    R228 = "[R228] The default encoder is for English, but --lang is {lang!r}. Set an encoder for it with --encoder."
    R230 = (
        "[R230] The two pipelines have read different texts ({first} and {second} documents). Compare predictions for "
        "one corpus, in the same order."
    )
    R231 = "[R231] The argument {found} is not UTF-8 text. Rename the file, or set the terminal to UTF-8."
    R232 = "[R232] {where}: {found}."
    R233 = "[R233] {path} is a PDF, not text. Give it a name that ends in .pdf, or use --input-format pdf."
    R234 = (
        "[R234] {path} looks like {found}, not like text. `spacy relext convert` reads formats of annotated data, and "
        "--input-format jsonl JSON lines with texts."
    )
    R250 = (
        "[R250] {path!r}, line {line}: not an answer of `spacy relext annotate correct`, which would write into this "
        "file. Choose another name for OUT.jsonl."
    )
    R251 = (
        "[R251] {path!r} has the answers of another annotator ({found}; --annotator is {expected}). Use one file for "
        "each person."
    )
    R252 = "[R252] {count} suggestions are neither accepted nor rejected, so the document is not done."
    R253 = (
        "[R253] No component of this pipeline can be trained further on corrected triples ({found}). `spacy relext "
        "retrain` trains rere_detector, rere_extractor, kd_classifier and the like; correct rules, or cluster again."
    )
    R254 = (
        "[R254] [training.optimizer] learn_rate of the pipeline is {found!r}, which has no initial_rate to take a "
        "share of. Give one: --learn-rate 1e-4."
    )
    R255 = (
        "[R255] --mix {mix} needs old documents. Give the corpus that the pipeline was trained on with --keep, or "
        "train on the corrections alone with --mix 0:1."
    )
    R257 = "[R257] Agreement needs the files of two or more annotators; found {count}."
    R258 = "[R258] No document is annotated by two annotators: the files have no text in common, or no triples."
    R360 = (
        "[R360] {name!r} listens to {upstream!r}, whose vectors have {found} numbers, but its own config says "
        "{expected}. Set the width of its listener, in [components.{name}.model.encoder], to {found}."
    )
    R361 = (
        "[R361] {name}: the token vectors have {found} numbers, but the weights were made for {expected}. Use the "
        "tok2vec (or transformer) of its training, or set the width of its listener and train again."
    )
    R362 = (
        "[R362] missing_rates of {name!r} has unknown relations: {unknown}. Correct "
        "[initialize.components.{name}.missing_rates]."
    )
    R363 = "[R363] No component estimates missing labels (pipeline: {found}). Remove --missing-rates."
    R364 = "[R364] {name}: this encoder encodes pairs only. Use a tok2vec or spacy_relext.PieceEncoder.v1."
    R365 = (
        "[R365] {name!r} listens to {upstream!r}, which has not run on this text. Enable {upstream!r} or add it before "
        "{name!r}; in training, list it in annotating_components too. Copied from another pipeline, {name!r} needs its "
        "{upstream!r} too, or replace_listeners() before."
    )
    R366 = (
        "[R366] {name!r} listens to {upstream!r}, but there is no such component before it ({found}). Add one before "
        "it, or set `upstream` of its listener, in [components.{name}.model.encoder], to another."
    )
    R401 = (
        "[R401] The soft labels for {name} are for the relations {found}, but it knows {expected}. Train the teacher "
        "on the same relations (if its part of the data lacks some, list all of them as `labels` in "
        "[initialize.components]), or run `spacy relext research teach` again."
    )
    R402 = (
        '[R402] {name} combines text and types by the gold relation (fusion = "relation"), which a text without '
        "annotation does not have. It can only teach (`spacy relext research teach`); for a pipeline set "
        '[components.{name}.model] fusion = "vector".'
    )
    R403 = (
        "[R403] anneal_distillation: component {component!r} is not a kd_classifier of this pipeline ({found}). Change "
        "[training.before_update] component."
    )
    R404 = (
        "[R404] An encoder of type {found!r} cannot read a text for several pairs: its layers cannot be run one by "
        "one. Expected one of: {expected}. Change [components.NAME.model] name, or use a Graph architecture."
    )
    R405 = (
        "[R405] `spacy relext research teach` needs a pipeline with one kd_teacher; this one has {count} (components: "
        "{found}). Train configs/kd_teacher.cfg first."
    )
    R406 = "[R406] {path!r} has no pair of entities to teach ({docs} documents): {why}."
    R408 = "[R408] The stored type patterns cannot be read ({detail}). Train the component again."
    R409 = "[R409] {found} for {given}; expected as many of both."
    R410 = "[R410] {pair} has class {number} {count} times; expected {expected}."
    R411 = (
        "[R411] The heads of {where}, {length} tokens, do not form a tree: from token {token} they lead into a cycle. "
        "Every chain of heads must end in a token that is its own head. Parse the text again, or remove its heads."
    )
    R413 = (
        "[R413] {name} cannot start from {paths}: {detail}. Expected trained pipelines with one component "
        "over pairs each, with the same encoder and, but for a selfore_clusterer, the same relations; change "
        "[initialize.components.{name}] start."
    )
    R414 = (
        "[R414] No pair of {where} has an entity type, and a kd_teacher learns which relations types allow. Add entity "
        "labels (`spacy relext convert --pipeline`, or `entities` of the records), or a lexicon of nouns: "
        "[initialize.components.{name}.lexicon]."
    )
    R415 = (
        "[R415] None of the {total} pairs of {where} has soft labels, although the documents have {stored}: those are "
        "for other entities or another text. Run `spacy relext research teach` on this corpus again."
    )
    R416 = (
        "[R416] None of the {missed} triples of {where} joins one of the {pairs} pairs of entities to classify. Both "
        "arguments must be entities of one sentence: set gold_ents = true in [corpora.train], or add a component "
        "before {name} that sets entities (in annotating_components); see also [components.{name}.suggester]."
    )
    R417 = (
        "[R417] {name} has adversarial_radius = {found}, but no encoder of its own whose input can be perturbed. Set "
        "it to 0, or use an encoder such as PieceEncoder.v1 or Transformer.v1. If it listens to a Transformer.v1, set "
        "adversarial_radius there."
    )
    R418 = (
        "[R418] {name}: no encoder, but {found}. Use a tok2vec, or an encoder of spacy_relext such as PieceEncoder.v1."
    )
    R419 = (
        "[R419] {name} cannot start from {pipeline!r}: {detail}. Use the encoder and the settings "
        "[components.{name}.model] of that pipeline, or another pipeline in [initialize.after_init]."
    )
    R420 = (
        "[R420] No pipeline to start from could be loaded from {path!r}: {reason}. Use the folder of a trained "
        "pipeline or the name of an installed package in [initialize.after_init]."
    )
    R500 = "[R500] {count} rules of {path!r} cannot be used: {problems}. Correct or remove these lines."
    R501 = (
        "[R501] {path!r} has no pair of entities that a rule could match. The corpus needs entities (or marked pairs, "
        "with --marked); `spacy relext convert --pipeline` adds the entities of a pipeline."
    )
    R502 = (
        "[R502] No phrase of {path!r} occurs {least} times between two entities at most {longest} words apart. Lower "
        "--min-count, raise --longest, or use more text with entities."
    )
    R503 = (
        "[R503] {name!r} has no rules. Set a file in [initialize.components.{name}] rules, or rules in "
        "[components.{name}] rules."
    )
    R504 = (
        "[R504] None of the {rules} rules of {name!r} matches any of the {pairs} pairs of entities in {where}: there "
        "is nothing to learn from. Nearest: {near}. `spacy relext rules check` shows more. Of a stream (max_epochs = "
        "-1) only the first 100 texts are read: set a reader in [initialize.components.{name}.corpus] to search all."
    )
    R505 = (
        "[R505] The encoder of {name!r} is a listener. It also reads matched texts of other batches and the bodies of "
        "rules: name the component that it listens to in frozen_components and annotating_components of [training], or "
        "give [components.{name}.model.encoder] an encoder of its own. To add rules later, pass the pipeline (nlp)."
    )
    R512 = "[R512] --code {path!r} cannot be run: {reason}."
    R513 = "[R513] {found}; expected either a TEXT or --file FILE."
    R514 = (
        "[R514] The encoder of {name!r} reads static vectors (include_static_vectors), and the pipeline has none. Name "
        "one that has them: `--paths.vectors en_core_web_md` after `python -m spacy download en_core_web_md`, or the "
        "folder that `python -m spacy init vectors en vectors.txt FOLDER` makes of your own (where the config has no "
        "paths.vectors: [initialize] vectors). Without any, set include_static_vectors = false."
    )
    R515 = (
        "[R515] None of the {docs} documents of {where} has an entity, and {name!r} learns from pairs of entities. "
        "`spacy relext convert --pipeline NAME` adds the entities that a pipeline predicts; or add an `ner` or "
        "`entity_ruler` before {name!r} and list it in [training] annotating_components."
    )
    R516 = (
        "[R516] {gold} of the {docs} documents of {where} have entities or marked pairs, but the texts that {name!r} "
        "reads have none of them: set gold_ents = true of their reader ([corpora.train]), or gold_ents_aside = true if "
        "an `ner` is trained in the same pipeline."
    )
    R517 = "[R517] {name!r} has no pair of entities to learn from in the {docs} documents of {where}: {why}."
    R518 = (
        "[R518] The rules of {name!r} ({where}) have no relation: all {rules} of them say no_relation. Add rules "
        "for the relations to extract."
    )
    R519 = (
        "[R519] No text of {path!r} has lemmas, which --form lemma compares. Create the corpus with a pipeline that "
        "has a lemmatizer (`spacy relext convert --pipeline`), or compare text or lower-case text."
    )
    R600 = (
        "[R600] {name!r} clusters a whole corpus, but of a stream (max_epochs = -1) only the first 100 texts are read "
        "at initialize. Set max_epochs = 0 or more, or a reader in [initialize.components.{name}.corpus]."
    )
    R601 = (
        "[R601] {name!r} can update its clusters only during training: a saved pipeline does not have the texts. "
        "Initialize it with the training data first."
    )
    R602 = (
        "[R602] {where} has {pairs} different pairs of entities, but {name!r} needs {count} clusters. Lower "
        "n_clusters, or use more text."
    )
    R603 = (
        "[R603] recluster: component {component!r} is not a selfore_clusterer of this pipeline ({found}). Change "
        "[training.before_update] component."
    )
    R604 = (
        "[R604] The pipeline finds no pair of entities in {path!r} for {name!r} to show. Add an `ner` or "
        "`entity_ruler` before it, or use the entities of the corpus (--gold-ents)."
    )
    R605 = (
        "[R605] `spacy relext clusters …` needs a pipeline with one selfore_clusterer; {path!r} has {count} "
        "(components: {found}). Train configs/selfore.cfg first."
    )
    R607 = (
        "[R607] {name!r} trains for {epochs} epochs a loop, but its encoder is frozen for the first {frozen}, so it "
        "would never be trained. Lower freeze_epochs, or raise [training.before_update] epochs."
    )
    R608 = (
        "[R608] The encoder of {name!r} is a listener. Clusters are computed when the pipeline is initialized, and "
        "would stay fixed while its vectors change: name the component that it listens to in frozen_components and "
        "annotating_components of [training], or use an encoder of its own, as in configs/selfore.cfg."
    )
    R609 = (
        "[R609] {key} = {found} sets how clusters are learned, but loops = 0 learns nothing: set loops to 1 or more, "
        "or {key} to {expected}."
    )
    R610 = (
        "[R610] {name!r} has known = true, but no gold triple of {where} joins two entities of one of its pairs. "
        "Annotate some texts with the known relations, or set [components.{name}.clustering] known = false."
    )
    R611 = (
        "[R611] The gold of {where} has {count} relations ({names}), each a cluster of its own if known = true, but "
        "n_clusters = {found} is the number of all clusters of {name!r}: set it above {count}."
    )
    R612 = (
        "[R612] {cluster!r} is called {name!r} already. Choose another name for {other!r}, or pass merge = True to "
        "make both one relation."
    )
    R613 = (
        "[R613] {where} has {pairs} different pairs of entities: {name!r} needs at least {count} to find clusters. Use "
        "more text."
    )
    R614 = (
        "[R614] {path!r} has {found} instead of names of clusters. Expected what the page of `clusters view` saves, "
        'such as {{"cluster_3": "born in"}}.'
    )
    R615 = (
        "[R615] {path!r} names {found}, but the clusters of {name!r} are {known}. Download names from a page of this "
        "pipeline."
    )
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
    R708 = "[R708] {name} joins the span {found}, which is absent; export whole documents, with their spans"
    R709 = (
        "[R709] The task has no 'data' (keys: {found}); choose JSON in Label Studio's export, not JSON-MIN or CSV, "
        "which have no relations"
    )
    R713 = (
        "[R713] The offsets of {name} hold {found}, but its text is {text}; expected offsets of the text that was "
        "annotated, in code points, UTF-16 units, bytes or graphemes"
    )
    R714 = (
        "[R714] The record has 'label', but neither 'entities' nor 'relations': its doccano project has no relations; "
        "choose sequence labeling with relations for a project"
    )
    R715 = "[R715] The text file {path!r} is missing beside it; copy both files of each document"
    R716 = "[R716] {name} is {found}; expected BRAT's standoff, such as T1<tab>PERSON 0 8<tab>Ada Holm"
    R717 = "[R717] {name} has the id {found} of another span; expected ids that differ within a document"
    R719 = "[R719] Not UIMA CAS JSON 0.4 or XMI: {what}; export the document in one of these formats"
    R720 = "[R720] {path}: not a format for knowledge bases; expected one of {expected}, optionally followed by .gz."
    R721 = "[R721] {path}: not found."
    R722 = "[R722] {place}: found {found}; expected {expected}."
    R723 = "[R723] {path}: the first line names the columns {found}. Read it with --columns {columns}."
    R724 = "[R724] {place}: {reason}"
    R725 = "[R725] {path}: no facts in it{skipped}."
    R726 = "[R726] {path} is not a folder of knowledge-base embeddings: {reason}. `spacy relext kb train` makes one."
    R728 = (
        "[R728] None of the {linked} linked entities of {corpus} is in {kb}. Do ids have the same form? --strip "
        "removes prefixes; entities of the corpus need a kb_id."
    )
    R729 = (
        "[R729] No entity of the knowledge base is in the {docs} texts of {path}; it has {names} names. Names are in a "
        "table with `id` and `label` (a second file of KB); --by link reads links."
    )
    R730 = (
        "[R730] {name}: none of the {linked} linked entities of {where} is among the {kb} of the knowledge base. Do "
        "ids have the same form? Entities need a kb_id, which `spacy relext kb align` or an entity linker sets."
    )
    R731 = (
        "[R731] {name}: the knowledge base {kb} has none of the relations ({found}); it has {expected}. Relations must "
        "have the same names in corpus and knowledge base."
    )
    R732 = (
        "[R732] No text of {path} has a marked pair or a triple, so there are no bags. `spacy relext kb align` and the "
        "converters nyt10 and opennre mark pairs."
    )
    R740 = (
        "[R740] In the {docs} texts of {path} no entity is linked to the knowledge base; {links} are linked to other "
        "ids. Do ids have the same form? --by name matches names instead."
    )
    R742 = (
        "[R742] {name}: no names of entities in {path}. Expected a table whose first line has id and some of label, "
        "type and aliases, or RDF with labels."
    )
    R743 = "[R743] {name} has no knowledge base. Set [initialize.components.{name}] names to a file of ids and names."
    R744 = "[R744] The type system of this XMI is missing; put TypeSystem.xml of the same export beside it"
    R745 = "[R745] {what}. Offsets are read as {unit}, and tools count this text differently: choose with --offsets"
    R747 = (
        "[R747] The text of the task, {key!r} of data, is {found}: a path or URL, not a text. Import the tasks with "
        "their texts, or put the content of each file there"
    )
    R748 = (
        "[R748] {name} is a HyperText span, an XPath without globalOffsets; export the project from Label Studio 1.0 "
        "or later"
    )
    R750 = "[R750] {name}: found {found}; expected {expected}"
    R755 = "[R755] The record has no {key} (found: {found}; expected: {expected})"
    R756 = (
        "[R756] {key!r} of {name} is {found}, the number of a class in a data set of Hugging Face; expected its name, "
        "which `dataset.features` has"
    )
    R760 = "[R760] {place}: {reason}. Expected a mapping in YAML: where records have text, spans and relations."
    R761 = "[R761] The record has no {expected} (found: {found}); check the format, or the paths of the mapping"
    R800 = "[R800] {place}: found {found}; expected {expected}. `spacy relext graph` makes the tables of a graph."
    R801 = "[R801] {path}: found {found}; expected {expected}."
    R830 = "[R830] {place}: {found}. Expected a document with triples, as `spacy relext extract` writes it."
    R831 = (
        "[R831] {path}: {found}. Expected .jsonl or .parquet files of `spacy relext extract`, .spacy files, or a "
        "folder of .spacy files."
    )
    R832 = (
        '[R832] {place}: found {found}; expected a line such as {{"same": ["IBM", "I.B.M."]}}, with same, different or '
        'rename, and two names, {{"name": "Li Wei", "document": "3"}}, or numbers of entities.'
    )
    R833 = "[R833] {place}: {found} contradicts {other}. Remove one of the two lines."
    R834 = (
        "[R834] The sentences of facts cannot be weighed: {correct} of {total} predicted facts are correct. Fit on "
        "documents with predicted and with gold triples, of which some agree: `spacy relext extract` of a .jsonl with "
        "triples."
    )
    R835 = "[R835] {path}: {found}. Expected what `spacy relext graph build --fit-on` writes: exponent, scale, shift."
    R836 = (
        "[R836] {place}: another document has the id {doc_id!r}. Give each document of the input an id of its "
        "own (key doc_id)."
    )
    R837 = "[R837] The query {question!r} takes {taken}; found {found} arguments."
    R838 = "[R838] The graph has no entity {name!r}.{near} `spacy relext graph query FOLDER degree` lists entities."
    R839 = "[R839] Only {found} is named. Expected one or more inputs, and the folder for the graph at the end."
    R840 = (
        "[R840] {form} is no form of a graph, which has several tables. --to parquet writes them to a folder, such as "
        "{folder}, for pandas and DuckDB; --to jsonl writes a line for each fact. Forms: {expected}."
    )
    R841 = (
        "[R841] {place}: {found} names an entity by a number, which it has only in the graph that it is from. Add the "
        'documents to that graph with --add-to, or use a name, such as {{"name": "Li Wei", "document": "3"}}.'
    )
    R842 = (
        "[R842] {place}: found {found}; expected an answer with the names subject, relation and object of a fact, and "
        "a state: accepted, rejected, edited or open."
    )
    R802 = "[R802] --base is {found!r}; expected the prefix of IRIs, such as http://example.org/graph/."
    R810 = "the worker process that read this text has ended three times; it may need more memory than there is"
    R811 = "[R811] {where} has no text: found {found} under 'text'. Correct or remove it."
    R812 = "[R812] The folder {path!r} has no input. Expected files that end in {expected}, also with .gz or .zst."
    R813 = "[R813] The folder {path} has other files ({found}). Choose another folder for the shards, or empty it."
    R814 = "[R814] {path} has the results of another run: {found}. Choose another folder, or replace them with --force."
    R815 = "[R815] {where} is left out: {reason}."


class Warnings:
    """Templates of warnings."""

    W001 = "[W001] {name}: relation {label!r} was not seen at initialize; its triples are ignored in training."
    W002 = (
        "[W002] {name}: {count} triples of a batch cross a sentence boundary or cover no token; they are ignored in "
        "training."
    )
    W003 = (
        "[W003] {name}: {count} tokens lie beyond {max_pieces} word pieces and are not read; lower max_length or raise "
        "max_pieces."
    )
    W004 = (
        "[W004] {name}: its setting types names the {kind} {found}, which the training data does not have (it has "
        "{known}). Correct [components.{name}] types."
    )
    W005 = (
        "[W005] {name}: these texts have no sentence boundaries, so each is read as one sentence. Add a component that "
        "sets them before it, such as relext_sentencizer; in training, list it in annotating_components."
    )
    W006 = "[W006] {name} reads {attribute}, which {others} sets only after it. Move {others} before {name}."
    W007 = (
        "[W007] {name}: no component before it detects relations, so all relations are queried in each sentence, which "
        "is slower and less precise. Add a rere_detector before it."
    )
    W008 = "[W008] {name}: {path} has relations that no component of this pipeline knows: {unknown}. Known: {known}."
    W009 = (
        "[W009] {name}: no component has set entities in these texts, so types are not compared with the schema. Add a "
        "component that sets them, such as an ner."
    )
    W010 = (
        "[W010] {count} triples or entities are left out: they hold nothing but white space, or have such an argument."
    )
    W011 = "[W011] {problems}."
    W012 = (
        "[W012] {count} gold triples are few to tune on, so thresholds and calibration stay close to what they were. "
        "Tune on {least} or more."
    )
    W013 = "[W013] {path}: {count} statements about relations are not used: {what}."
    W101 = "[W101] {path}: {count} of {total} documents have no token and are skipped."
    W102 = "[W102] {path}: no document is annotated with triples, so it cannot be used for training or evaluation."
    W103 = (
        "[W103] {path}: the triples of {count} of {total} documents were found by a pipeline and none is gold, so they "
        "are neither learned nor scored. `spacy relext annotate correct` lets a person judge them, `convert jsonl "
        "--pseudo-labels` makes them gold."
    )
    W104 = (
        "[W104] {path}: {count} of {total} documents have relations in doc._.rel, as spaCy's tutorial stores them, and "
        "no triples, so nothing is learned from them. Convert the corpus: `spacy relext convert spacy-rel {path} "
        "OUT.spacy`."
    )
    W200 = "[W200] No component of the pipeline knows the relation(s) {unknown}. Known: {known}."
    W201 = (
        "[W201] Corpus and pipeline have no relation in common, so no triple can be correct. Corpus: {gold}. Pipeline: "
        "{known}."
    )
    W202 = "[W202] {path}: files that are not read: {found}, such as {first}."
    W203 = (
        "[W203] Texts that look like HTML or Markdown are read as prose. Use files that end in .html or .md, or "
        "--input-format html or markdown."
    )
    W204 = (
        '[W204] The text looks like HTML or Markdown and is read as prose. Send "format": "html" or "markdown" with it.'
    )
    W360 = (
        "[W360] {name}: {count} of the {total} documents of {where} are not annotated with triples; nothing is learned "
        "from them. For a text without a relation, give an empty list of triples."
    )
    W361 = (
        "[W361] {name}: {count} documents of a batch have rejected triples and are not annotated with triples; {name} "
        "learns nothing from them, since their sentences may state the same relation of other arguments."
    )
    W362 = (
        "[W362] {name}: the training data has triples that are {found}. {name} learns and predicts them as if they "
        "were stated, since it has no assertions to tell apart. Leave these triples out of its training data."
    )
    W400 = (
        "[W400] {name}: {count} marked pairs of a batch cover no token, or the same tokens twice, and are not "
        "classified."
    )
    W401 = (
        "[W401] {name}: {count} triples of {where} have no pair among the suggested ones: their arguments are not "
        "entities, or are in different sentences. They are not learned, and count as misses in the scores."
    )
    W402 = (
        "[W402] {name}: some pairs are further apart than {max_pieces} word pieces; one of their arguments is not "
        "read. Raise max_pieces, or set max_distance of the suggester."
    )
    W403 = (
        "[W403] {name}: some texts have no dependency parse and are read as chains. Add a parser before it, or copy "
        "heads into the corpus."
    )
    W404 = (
        "[W404] {name}: {missing} of the {total} pairs of {where} have no soft labels; they use their gold labels only."
    )
    W405 = (
        "[W405] {name}: all pairs of {where} have the types {types}, so types do not distinguish relations. Use "
        "distinct entity labels, or a lexicon of nouns: [initialize.components.{name}.lexicon]."
    )
    W406 = (
        "[W406] {name}: no component has set entities in these texts, so there is no pair to classify. Add a component "
        "before it that sets them, such as an ner, or set doc.ents."
    )
    W407 = (
        "[W407] The adversarial perturbations of {count} texts fill the cache ({mebibytes} MiB). Further texts are not "
        "perturbed. In components of KD, adversarial_reuse = false perturbs every text, in nearly twice the time."
    )
    W408 = (
        "[W408] {name}: spacy_relext.AnnotatedPairs.v1 reads marked pairs alone, and these texts have none, so there "
        "is no pair to classify. Use records with `pairs`, or classify all pairs of entities: spacy.load(path, "
        'config={{"components": {{"{name}": {{"suggester": {{"@misc": "spacy_relext.EntityPairs.v1"}}}}}}}}).'
    )
    W409 = (
        "[W409] {name}: {count} pairs of entities in crowded sentences are not read: only the nearest of each sentence "
        "are, as many as max_pairs of its suggester says. Split long lists into sentences, or raise it."
    )
    W500 = (
        "[W500] {name}: {count} of the {total} rules in {where} are skipped, the first: {what}. `spacy relext rules "
        "check` lists all of them."
    )
    W509 = (
        "[W509] {name}: no entity of {where} has the type {kind!r} of {count} rules (the first: {rule!r}), which "
        "cannot match. Types there: {types}."
    )
    W600 = (
        "[W600] {name}: the clusters have collapsed: {reasons}. Lower n_clusters, or use more text of different kinds."
    )
    W601 = (
        "[W601] {name}: loops = {loops}, but no callback updates its clusters: [training.before_update] is {found}. "
        "Set it to spacy_relext.recluster.v1 with component = {name!r}, or call recluster() yourself."
    )
    W602 = (
        "[W602] {name}: {loops} loops of {epochs} epochs compute the last clusters after epoch {end}, but training "
        "ends before (max_epochs = {found}), and the clusters would come from an earlier encoder. Set max_epochs to "
        "{expected}."
    )
    W700 = (
        "[W700] {name}: the knowledge base does not have {count} of the {total} relations ({found}); they are "
        "classified by the text alone."
    )
    W701 = "[W701] {path}: {count} of {total} texts have no marked pair or triple and are not read."
    W830 = "[W830] The graph in {path} is replaced, and its numbers may change; --add-to {path} would add to it."
    W831 = "[W831] {place}: {decision} changes nothing: the graph does not have both, or the names are ambiguous."
    W833 = "[W833] {count} answers are about no fact of the graph, or about several, such as {answer}."
    W832 = (
        "[W832] {path}: none of its relations ({known}) occurs in the facts, which have {found}. Name them as in the "
        "triples."
    )


def check_choice(key: str, value: object, choices: Sequence[str]) -> None:
    """Check a setting that takes one of a few values; ValueError for others."""
    if value not in choices:
        raise ValueError(Errors.R007.format(key=key, found=value, expected=" or ".join(choices)))


def check_range(key: str, value: float, low: float, high: float) -> None:
    """Check a setting that takes a number; ValueError if it is below `low` or above `high`, or "3" in quotes."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not (is_number and low <= value <= high):
        raise ValueError(Errors.R007.format(key=key, found=value, expected=f"a number from {low} to {high}"))


def check_sizes(**sizes: int) -> None:
    """Check the sizes of a model; ValueError if one is no whole number from 1 to a million."""
    for key, size in sizes.items():
        check_range(key, size, 1, 1_000_000)


def require(module: str, *, purpose: str, extra: str) -> ModuleType:
    """Import a module of an optional package, such as "sklearn.cluster"; ImportError if it is not installed.

    purpose (str): What needs it, for the message.
    extra (str): Extra of this package that installs it.
    """
    try:
        importlib.import_module(module.split(".")[0])
        return importlib.import_module(module)
    except ImportError:
        package = module.split(".")[0].replace("sklearn", "scikit-learn").replace("cassis", "dkpro-cassis")
        raise ImportError(Errors.R006.format(package=package, purpose=purpose, extra=extra)) from None
