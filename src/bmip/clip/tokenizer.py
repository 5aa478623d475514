"""CLIP's byte-pair encoding: text is cleaned and split into words as in CLIP, and each word is merged from its bytes.

`bpe_simple_vocab_16e6.txt.gz` beside this file is OpenAI's list of merges (github.com/openai/CLIP, MIT licence,
Copyright (c) 2021 OpenAI). From every kind of file only vocabulary and merges are read; cleaning and splitting are
always those of openai/CLIP's simple_tokenizer.py. A tokeniser of `transformers` differs from it: it neither repairs
text with ftfy nor unescapes HTML, it normalises to NFC at the end, and it lets a special token that is written out in
the text through (an error here).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from tokenizers import Regex, decoders, models, pre_tokenizers, trainers
from tokenizers import Tokenizer as Encoder

from bmip.class_names import clean
from bmip.system.files import write_text
from bmip.system.messages import counted, first_few

MERGES_FILE = Path(__file__).with_name("bpe_simple_vocab_16e6.txt.gz")
MERGES_SHA256 = "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a"

_MERGES = 49152 - 256 - 2  # openai/CLIP simple_tokenizer.py: the file holds more, the rest is not used
_SPECIALS = ("<|startoftext|>", "<|endoftext|>")
_SPELLINGS = (_SPECIALS, ("<start_of_text>", "<end_of_text>"))  # OpenAI and transformers; open_clip
_WORD_END = "</w>"
_ENDINGS = ("", _WORD_END)
_ADDED = re.compile(r"<.+>|\[.+\]")  # tokens that stand for themselves, such as <pad>
_WORD = Regex(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+")

Merge = tuple[str, str]


class Tokenizer:
    """Turns text into token ids. It neither pads nor cuts, and adds no start and end tokens.

    Args:
        vocabulary: tokens and their ids, which are 0, 1, 2 and so on.
        merges: pairs of tokens that are merged, the most important first.
        source: stands in messages.

    Raises ValueError for ids with gaps, for missing bytes or special tokens, and for merges of another vocabulary or
    too few of them.
    """

    def __init__(self, vocabulary: dict[str, int], merges: Sequence[Merge], *, source: str = "the vocabulary") -> None:
        _check_vocabulary(vocabulary, source)
        self.start_word, self.end_word = _specials(vocabulary, source)
        _check_merges(vocabulary, merges, source)
        try:
            bpe = models.BPE(vocabulary, list(merges), end_of_word_suffix=_WORD_END)
        except Exception as error:  # the library raises bare Exceptions
            raise ValueError(f"{source}: vocabulary and merges do not belong together ({error})") from error
        self._encoder = Encoder(bpe)
        self._encoder.pre_tokenizer = _words()
        self.vocabulary = len(vocabulary)
        """Number of tokens, the two special ones included."""
        self.start = vocabulary[self.start_word]
        self.end = vocabulary[self.end_word]

    def encode(self, text: str) -> list[int]:
        """The ids of the cleaned text. Raises ValueError for a text with a start or end token in it."""
        cleaned = clean(text)
        for special in (self.start_word, self.end_word):
            if special in cleaned:
                raise ValueError(f"{text!r} contains {special}, which marks the ends of a text: remove it")
        return self._encoder.encode(cleaned, add_special_tokens=False).ids

    def decode(self, ids: Iterable[int]) -> str:
        """The text of the ids, in small letters. Encoding it gives the same ids, if they are those of whole words."""
        tokens = [self._encoder.id_to_token(number) or "" for number in ids]
        return decoders.ByteLevel().decode(tokens).replace(_WORD_END, " ").strip()

    def whole_words(self) -> dict[int, str]:
        """The tokens that are a whole word of small letters, by id. Text becomes small letters before it is encoded."""
        tokens = ((number, self._encoder.id_to_token(number) or "") for number in range(self.vocabulary))
        found = {number: token.removesuffix(_WORD_END) for number, token in tokens if token.endswith(_WORD_END)}
        return {number: word for number, word in found.items() if word.isalpha() and word.isascii() and word.islower()}

    def save(self, path: str | Path) -> None:
        """Writes a tokenizer.json, which `from_file` reads."""
        write_text(Path(path), self._encoder.to_str(pretty=False))

    @classmethod
    def default(cls) -> Tokenizer:
        """The tokeniser of OpenAI's CLIP: 49,408 tokens."""
        return _default()

    @classmethod
    def from_merges_gz(cls, path: str | Path) -> Tokenizer:
        """OpenAI's tokeniser from a copy of `bpe_simple_vocab_16e6.txt.gz`. Raises ValueError for another file."""
        packed = Path(path).read_bytes()
        found = hashlib.sha256(packed).hexdigest()
        if found != MERGES_SHA256:
            raise ValueError(
                f"{path} has sha256 {found}; CLIP's merges file has {MERGES_SHA256}: use the copy that comes with bmip"
            )
        merges = [_merge(line) for line in gzip.decompress(packed).decode("utf-8").split("\n")[1 : 1 + _MERGES]]
        return cls(_numbered(merges), merges, source=str(path))

    @classmethod
    def from_vocab_and_merges(cls, vocab: str | Path, merges: str | Path) -> Tokenizer:
        """From vocab.json and merges.txt, as in older folders of `transformers`. Raises ValueError for others."""
        table = _json(Path(vocab))
        lines = Path(merges).read_text(encoding="utf-8").splitlines()
        lines = lines[1:] if lines and lines[0].startswith("#version") else lines
        return cls(_vocabulary(table, vocab), [_merge(line) for line in lines if line.strip()], source=str(vocab))

    @classmethod
    def from_file(cls, path: str | Path) -> Tokenizer:
        """From a tokenizer.json of `transformers` or `save`. Raises ValueError for a tokeniser that is not CLIP's."""
        model = _json(Path(path)).get("model")
        model = model if isinstance(model, dict) else {}
        kind, word_end = model.get("type", "unknown"), model.get("end_of_word_suffix")
        if kind != "BPE" or word_end != _WORD_END:
            raise ValueError(
                f"{path} holds a tokeniser of type {kind} with word ending {word_end!r}; "
                f"CLIP's is BPE with {_WORD_END!r}: take the tokenizer.json that belongs to the CLIP weights"
            )
        merges = model.get("merges")
        if not isinstance(merges, list):
            raise ValueError(f"{path} has no list of merges: fetch it again")
        return cls(_vocabulary(model.get("vocab"), path), [_merge(merge) for merge in merges], source=str(path))

    @classmethod
    def train(cls, texts: Iterable[str], vocabulary: int) -> Tokenizer:
        """A tokeniser with the most frequent merges of the texts. It is smaller than asked if nothing is left to merge.

        Raises ValueError for a vocabulary too small for the single bytes and the special tokens.
        """
        smallest = 2 * 256 + 2
        if vocabulary < smallest:
            raise ValueError(
                f"a vocabulary of {vocabulary} tokens is too small: bytes and special tokens need {smallest}"
            )
        learner = Encoder(models.BPE(end_of_word_suffix=_WORD_END))
        learner.pre_tokenizer = _words()
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary,  # the trainer counts fewer single bytes than we keep: enough merges, cut below
            initial_alphabet=list(_bytes()),
            # else they are numbered as a hash table has them, and merges of equal count change places with each process
            special_tokens=[byte + _WORD_END for byte in _bytes()],
            end_of_word_suffix=_WORD_END,
            show_progress=False,
        )
        learner.train_from_iterator((clean(text) for text in texts), trainer)
        learned = [(left, right) for left, right in json.loads(learner.to_str())["model"]["merges"]]
        merges: list[Merge] = []
        products: set[str] = set()
        for left, right in learned:
            if left + right not in products and len(products) == vocabulary - smallest:
                break
            merges.append((left, right))
            products.add(left + right)
        return cls(_numbered(merges), merges, source="the trained vocabulary")


def _words() -> pre_tokenizers.PreTokenizer:
    # the byte-level step must not split again by GPT-2's own pattern, as it does by default
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(_WORD, behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


@cache
def _default() -> Tokenizer:
    return Tokenizer.from_merges_gz(MERGES_FILE)


@cache
def _bytes() -> tuple[str, ...]:
    """A printable character for each byte, in CLIP's order: bytes that are printable themselves come first."""
    own = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = 256 - len(own)
    return (*map(chr, own), *(chr(256 + n) for n in range(others)))


def _numbered(merges: Iterable[Merge]) -> dict[str, int]:
    """Ids of the tokens, in this order: bytes, bytes that end a word, products of the merges, special tokens."""
    single = _bytes()
    products = (left + right for left, right in merges)
    tokens = dict.fromkeys((*single, *(byte + _WORD_END for byte in single), *products, *_SPECIALS))
    return {token: number for number, token in enumerate(tokens)}


def _merge(said: object) -> Merge:
    """A merge as a line of text or as a pair."""
    pair = said.strip().split(" ") if isinstance(said, str) else said
    if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not all(isinstance(one, str) for one in pair):
        raise ValueError(f"{said!r} is not a merge: two tokens with a space between them were expected")
    return pair[0], pair[1]


def _json(path: Path) -> dict:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not a JSON file ({error}): fetch it again") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path} holds a {type(value).__name__}; a JSON object was expected")
    return value


def _vocabulary(table: object, source: str | Path) -> dict[str, int]:
    if not isinstance(table, dict) or not all(isinstance(number, int) for number in table.values()):
        raise ValueError(f"{source} has no table of tokens and their ids")
    return table


def _check_vocabulary(vocabulary: dict[str, int], source: str) -> None:
    if sorted(vocabulary.values()) != list(range(len(vocabulary))):
        raise ValueError(f"{source}: the ids of {len(vocabulary)} tokens must be 0 to {len(vocabulary) - 1}, each once")
    missing = [byte + ending for byte in _bytes() for ending in _ENDINGS if byte + ending not in vocabulary]
    if missing:
        raise ValueError(
            f"{source} lacks {len(missing)} of the 512 single bytes ({first_few(missing, 3)}): "
            "text that contains them would lose letters; use a byte-level CLIP vocabulary"
        )


def _check_merges(vocabulary: dict[str, int], merges: Iterable[Merge], source: str) -> None:
    """A list of merges that was cut short would give other tokens than those that the CLIP was trained on."""
    made = {left + right for left, right in merges}.union(byte + ending for byte in _bytes() for ending in _ENDINGS)
    if lacking := [token for token in vocabulary if token not in made and not _ADDED.fullmatch(token)]:
        raise ValueError(
            f"{source} has {counted(len(lacking), 'token')} that no merge makes ({first_few(map(repr, lacking), 3)}): "
            "its list of merges is not whole; fetch it again"
        )


def _specials(vocabulary: dict[str, int], source: str) -> tuple[str, str]:
    for start, end in _SPELLINGS:
        if start in vocabulary and end in vocabulary:
            return start, end
    raise ValueError(f"{source} has no {_SPECIALS[0]} and {_SPECIALS[1]}: it is not the vocabulary of a CLIP model")
