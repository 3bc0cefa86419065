"""`kb_linker`: links entities to the ids of a knowledge base, by their names."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple, Union

import numpy
import srsly
from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.pipeline import Pipe
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import filter_spans

from ..annotations.entities import UNLINKED
from ..corpora.damage import check_file_list, refuse_damage, write_file_list
from ..corpora.formats.locate import ENTITY
from ..errors import Errors, check_choice
from .alignment import text_names
from .facts import FactIndex, Names, TripleStore, read_store
from .files import FactReader

GIVEN, NAMES = "given", "names"

# Labels and types of persons, to whom a surname alone links after the full name.
PERSONS = frozenset({"PERSON", "PER"})

ARTICLE = "the "

# Suffixes that are no surnames ("Sammy Davis Jr."), and words of names that have no surname ("Anne of Cleves").
GENERATIONS = frozenset({"jr", "jr.", "sr", "sr.", "ii", "iii", "iv"})
NO_SURNAME = frozenset({"of", "the"})

# Words of at most so many letters may be other words in other letter case: "IT" and "It", "WHO" and "Who".
LONGEST_ACRONYM = 3

# Ids of the entities that a name may mean.
Senses = Tuple[str, ...]

# Where the knowledge base is saved, as other components save what they know.
KNOWLEDGE, KB = "knowledge", "kb.msgpack"


@dataclass
class Mention:
    """A span that is or becomes an entity.

    senses (Senses): What it may mean.
    antecedent (Optional[Mention]): The person whose surname it is.
    """

    span: Span
    senses: Senses = ()
    antecedent: "Optional[Mention]" = None

    @property
    def ends(self) -> Tuple[int, int]:
        """Return its first token, and the one after the last."""
        return self.span.start, self.span.end


class KbLinker(Pipe):
    """Sets `ent.kb_id_`, and on request finds the entities, by the names of a knowledge base."""

    def __init__(self, tokenizer: Callable[[str], Doc], name: str, *, ents: str) -> None:
        """Create a linker that knows no names before it is initialized or loaded; see `make_kb_linker`.

        tokenizer (Callable[[str], Doc]): The pipeline's, for the names to search.
        RAISES (ValueError): If `ents` is neither "given" nor "names".
        """
        check_choice("ents", ents, (GIVEN, NAMES))
        self.name, self.ents = name, ents
        self._tokenizer = tokenizer
        self._set_store(TripleStore([], [], numpy.zeros((0, 3), dtype="int32")))

    def _set_store(self, store: TripleStore) -> None:
        """Index a knowledge base."""
        self.kb, self.names = FactIndex(store), NameIndex(store.names)
        self._matcher: Optional[PhraseMatcher] = None

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        names: Optional[Path] = None,
        facts: Optional[Path] = None,
    ) -> None:
        """Read the knowledge base, which is saved with the component.

        get_examples (Callable[[], Iterable[Example]]): Not read.
        names (Optional[Path]): File with `id`, `label`, `type` and `aliases`, or RDF; see `kb/files.py`.
        facts (Optional[Path]): File of facts, which disambiguate names. None: the first sense of a name is taken.
        RAISES (FileNotFoundError): If there is no such file.
        RAISES (ValueError): If `names` is not set, a file is malformed, or no name is in the files.
        """
        if names is None:
            raise ValueError(Errors.R743.format(name=self.name))
        reader = FactReader(language=nlp.lang) if nlp is not None and nlp.lang else FactReader()
        paths = [Path(path) for path in (names, facts) if path is not None]
        self._set_store(read_store(paths, reader=reader, needs_facts=False))
        if not len(self.names):
            raise ValueError(Errors.R742.format(name=self.name, path=", ".join(map(str, paths))))

    def __call__(self, doc: Doc) -> Doc:
        """Link the entities of a Doc.

        RAISES (ValueError): If the component is not initialized.
        """
        if not len(self.names):
            raise ValueError(Errors.R004.format(name=self.name))
        mentions = [Mention(ent, self._senses(ent)) for ent in doc.ents]
        if self.ents == NAMES:
            mentions = _in_order(mentions, self._find_names(doc))
        self._refer_back(mentions)
        if self.ents == NAMES:
            mentions = _in_order(mentions, self._find_surnames(doc, mentions))
        chosen = choose_senses([each.senses for each in mentions], self.kb)
        links = {mention.ends: link for mention, link in zip(mentions, chosen)}
        for mention in mentions:
            if mention.antecedent is not None:
                links[mention.ends] = links[mention.antecedent.ends]
        self._write(doc, mentions, links)
        return doc

    def _write(self, doc: Doc, mentions: Sequence[Mention], links: Dict[Tuple[int, int], str]) -> None:
        """Set ids, and the entities that were found."""
        given = {(ent.start, ent.end) for ent in doc.ents}
        spans = []
        for mention in mentions:
            link = links[mention.ends]
            if mention.ends in given:
                for token in mention.span if link else ():
                    token.ent_kb_id_ = link
            else:
                label = next(iter(self.names.types_of(link)), ENTITY)
                spans.append(Span(doc, *mention.ends, label=label, kb_id=link))
        if self.ents == NAMES:
            doc.set_ents([*doc.ents, *spans])

    # Candidates

    def _senses(self, ent: Span) -> Senses:
        """Look up the senses of an entity; if its label is a type of some of them, only those."""
        if ent.kb_id_ not in UNLINKED:
            return (ent.kb_id_,)
        senses = self.names.find(ent.text)
        return tuple(each for each in senses if ent.label_ in self.names.types_of(each)) or senses

    def _find_names(self, doc: Doc) -> List[Mention]:
        """Find names outside entities, the longest first."""
        if self._matcher is None:
            self._matcher = PhraseMatcher(doc.vocab, attr="LOWER")
            self._matcher.add(NAMES, [self._tokenizer(name) for name in self.names.texts()])
        taken = {token.i for ent in doc.ents for token in ent}
        found = {}
        for _, start, end in self._matcher(doc):
            span = doc[start:end]
            senses = self.names.find(span.text, strict=True)
            if senses and not _opens_sentence(span) and taken.isdisjoint(range(span.start, span.end)):
                found[span] = senses
        return [Mention(span, found[span]) for span in filter_spans(found)]

    # Surnames

    def _refer_back(self, mentions: Sequence[Mention]) -> None:
        """Resolve a surname to the last person named in full before it, unless it is a name of something else.

        Persons that have the surname alone as a name in the knowledge base take precedence.
        """
        persons: Dict[str, List[Mention]] = defaultdict(list)
        for mention in mentions:
            before = persons.get(mention.span.text.casefold(), [])
            if before and mention.span.kb_id_ in UNLINKED and (not mention.senses or self._is_person(mention)):
                named = [each for each in before if not set(each.senses).isdisjoint(mention.senses)]
                mention.antecedent, mention.senses = (named or before)[-1], ()
            elif self._is_person(mention):
                for surname in surnames_of(mention.span.text):
                    persons[surname.casefold()].append(mention)

    def _find_surnames(self, doc: Doc, mentions: Sequence[Mention]) -> List[Mention]:
        """Find the surnames of persons that are named in full earlier, outside of other mentions."""
        taken = {token for mention in mentions for token in range(*mention.ends)}
        starts: Dict[str, List[Tuple[Span, Mention]]] = defaultdict(list)
        for mention in mentions:
            if self._is_person(mention):
                for surname in surnames_of(mention.span.text):
                    at = mention.span.text.rfind(surname)  # -1: white space within the surname is no single space
                    first = mention.span.start_char + at
                    surname_span = doc.char_span(first, first + len(surname)) if at >= 0 else None
                    if surname_span is not None:
                        starts[surname_span[0].text].append((surname_span, mention))
        found: Dict[Span, Mention] = {}
        for token in doc if starts else ():
            for surname_span, person in starts.get(token.text, ()):
                span = doc[token.i : token.i + len(surname_span)]
                is_later = span.start >= person.span.end and taken.isdisjoint(range(span.start, span.end))
                if is_later and span.text == surname_span.text:
                    found[span] = Mention(span, antecedent=person)  # the last of several persons
        return [found[span] for span in filter_spans(found)]

    def _is_person(self, mention: Mention) -> bool:
        """Return True if the label of a mention, or without one the type of a sense, is that of persons."""
        if mention.span.label_:
            return mention.span.label_ in PERSONS
        return any(not PERSONS.isdisjoint(self.names.types_of(each)) for each in mention.senses)

    # Serialization

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        """Write the knowledge base into a folder, unless `exclude` has "knowledge"."""
        folder = Path(path) / KNOWLEDGE
        if KNOWLEDGE not in exclude:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / KB).write_bytes(self.kb.store.to_bytes())
            write_file_list(Path(path))

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "KbLinker":
        """Read what `to_disk` wrote.

        RAISES (ValueError): If the file or the list of files is missing, or the file is damaged.
        """
        file = Path(path) / KNOWLEDGE / KB
        if KNOWLEDGE not in exclude:
            if not file.is_file():
                raise ValueError(Errors.R012.format(name=self.name, where=file.parent, files=file.name))
            check_file_list(Path(path), name=self.name)
            with refuse_damage(file, message=Errors.R021, name=self.name):
                self._set_store(TripleStore.from_bytes(file.read_bytes()))
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Serialize the knowledge base, unless `exclude` has "knowledge"."""
        parts = {} if KNOWLEDGE in exclude else {KB: self.kb.store.to_bytes()}
        return bytes(srsly.msgpack_dumps(parts))

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "KbLinker":
        """Deserialize what `to_bytes` returned.

        RAISES (ValueError): If the knowledge base is missing or damaged.
        """
        if KNOWLEDGE not in exclude:
            with refuse_damage("the bytes", message=Errors.R021, name=self.name):
                parts = srsly.msgpack_loads(bytes_data)
                if KB not in parts:
                    raise ValueError(Errors.R012.format(name=self.name, where="the bytes", files=KB))
                self._set_store(TripleStore.from_bytes(parts[KB]))
        return self


def _in_order(mentions: Sequence[Mention], others: Sequence[Mention]) -> List[Mention]:
    """Join mentions in the order of the text."""
    return sorted([*mentions, *others], key=lambda mention: mention.ends)


def _opens_sentence(span: Span) -> bool:
    """Return True if a span is a function word that is capitalised because it opens a sentence, such as "It"."""
    return len(span) == 1 and span[0].is_stop and span[0].is_title and (span.start == 0 or bool(span[0].is_sent_start))


class NameIndex:
    """Entities by name, whatever the letter case and with or without a leading "the"; labels come before aliases."""

    def __init__(self, names: Mapping[str, Names]) -> None:
        self._forms: Dict[str, Dict[str, List[str]]] = {}
        ordered = sorted(names)
        pairs = [(names[entity].label, entity) for entity in ordered]
        pairs += [(alias, entity) for entity in ordered for alias in names[entity].aliases]
        for name, entity in pairs:
            if name.strip():
                ids = self._forms.setdefault(_key(name), {}).setdefault(_bare(name), [])
                ids += [entity] if entity not in ids else []
        self._names = names

    def __len__(self) -> int:
        return len(self._forms)

    def find(self, text: str, *, strict: bool = False) -> Senses:
        """Look up a name: first as it is written, then in other letter case.

        strict (bool): Accept other letter case only if differing words have a capital, and not for short acronyms.
        """
        forms, bare = self._forms.get(_key(text), {}), _bare(text)
        if bare in forms:
            return tuple(forms[bare])
        ids = (each for name, ids in forms.items() if not strict or _is_recased(bare, name) for each in ids)
        return tuple(dict.fromkeys(ids))

    def types_of(self, entity: str) -> Tuple[str, ...]:
        """Return the types of an entity."""
        return self._names[entity].types if entity in self._names else ()

    def texts(self) -> Iterator[str]:
        """Yield the names to search a text for, each once: "The X" is left out if "X" is a name of the same entity."""
        seen: Set[str] = set()
        for entity in sorted(self._names):
            for name in text_names([each for each in self._names[entity].all if each.strip()]):
                if name not in seen:
                    seen.add(name)
                    yield name


def choose_senses(mentions: Sequence[Senses], kb: FactIndex) -> List[str]:
    """Choose one entity for each mention: of several, the one with the most facts about candidates of other names.

    Of equals, the one with the most facts, then the first. All mentions of a name get the same entity.

    RETURNS (List[str]): Ids, "" for a mention without candidates.
    """
    names, chosen = set(mentions), {}
    for ids in names:
        if len(ids) > 1:
            others = {each for name in names if name != ids for each in name}
            # max keeps the first of equals
            chosen[ids] = max(ids, key=lambda each: (kb.facts_with(each, others), kb.count_facts(each)))
    return [chosen.get(ids, ids[0]) if ids else "" for ids in mentions]


def surnames_of(name: str) -> List[str]:
    """List the possible surnames in a person's full name: its last words, the longest first."""
    words = name.split()
    while words and words[-1].lower() in GENERATIONS:
        words.pop()
    if not NO_SURNAME.isdisjoint(words):
        return []
    return [" ".join(words[start:]) for start in range(1, len(words))]


def _key(name: str) -> str:
    """Fold a name: letter case, spaces and article."""
    return _bare(name).casefold()


def _bare(name: str) -> str:
    """Remove a leading article and repeated spaces; "the" alone stays."""
    text = " ".join(name.split())
    return text[len(ARTICLE) :] if text.lower().startswith(ARTICLE) else text


def _is_recased(text: str, name: str) -> bool:
    """Return True if a text may be a name in other letter case, as in a heading, and not another word."""
    if " " not in text and len(text) <= LONGEST_ACRONYM:
        return False
    return all(one == two or one[:1].isupper() for one, two in zip(text.split(), name.split()))


@Language.factory(
    "kb_linker",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type", "token.ent_kb_id"],
    default_config={"ents": GIVEN},
)
def make_kb_linker(nlp: Language, name: str, ents: str) -> KbLinker:
    """Create a component that links entities to a knowledge base by names and aliases.

    Of several senses of a name, the one with the most facts about the other entities of the text is chosen. Ids that
    entities have already are kept.

    ents (str): "given": link the entities of the Doc; "names": also find the names of the knowledge base outside them.
    """
    return KbLinker(nlp.tokenizer, name, ents=ents)
