"""Class names as sentences of tokens: which places hold slots, and what all classes have in common.

A sentence is [start] context name rest [end]. The stem is its longest prefix common to all classes, slots included;
what follows is the class's own tail. Sentences are tokenised whole and split afterwards, since byte-pair encoding does
not split where words are joined ("St." followed by "." is two tokens, not three).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from bmip.class_names import words
from bmip.clip.text_layout import FIXED, TextLayout, sentence
from bmip.clip.tokenizer import Tokenizer


@dataclass(frozen=True)
class Lead:
    """The tokens that run once for all classes.

    These are the stem and, where the layout asks for a `probe`, after it the rest of the sentence without a name.
    """

    stem: int
    """How many of the tokens are the stem."""

    ids: Int64[Tensor, " token"]
    """Token ids; a slot holds any id. Inserted slots are not among them."""

    slot_numbers: Int64[Tensor, " slot"]
    """The number of each slot among these tokens."""

    slot_places: Int64[Tensor, " slot"]
    """The place of each slot among these tokens, once those that are inserted stand there."""

    inserted: int = 0
    """How many slots are inserted behind the start token."""


@dataclass(frozen=True)
class Tails:
    """The tails of some classes.

    They are packed: the tokens of one class follow those of the class before, without padding. They are spread where
    attention needs a rectangle (class, longest tail).
    """

    classes: Int64[Tensor, " class"]
    """The index of each class in the class list."""

    ids: Int64[Tensor, " token"]
    """Packed token ids."""

    positions: Int64[Tensor, " token"]
    """The position of each packed token in its whole sentence."""

    spread: Int64[Tensor, "class longest"]
    """The packed index of each class's tokens. After a tail's end any token stands; the causal mask hides it."""

    pack: Int64[Tensor, " token"]
    """The place of each packed token in the flattened rectangle."""

    ends: Int64[Tensor, " class"]
    """The packed index of each class's end token, at which its feature is read."""

    before_end: Bool[Tensor, "class 1 longest"]
    """Which tokens of the rectangle the end token sees."""

    slot_numbers: Int64[Tensor, " slot"]
    """The number of each slot in the tails, the same for all classes."""

    slot_places: Int64[Tensor, "class slot"]
    """The packed index of each slot."""

    slot_spread: Int64[Tensor, "class slot"]
    """The place of each slot among the tokens of its class."""


@dataclass(frozen=True)
class ClassTexts:
    """The sentences of a class list under a layout, split into the stem that all share and the tail of each class."""

    layout: TextLayout
    """The layout of the sentences."""

    lead: Lead
    """What runs once for all classes."""

    rows: tuple[tuple[int, ...], ...] = field(repr=False)
    """The token ids of each class's whole sentence, with the start and end tokens."""

    slots: tuple[tuple[int, ...], ...] = field(repr=False)
    """For each token of `rows` the number of its slot, or FIXED."""

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def classes(self) -> int:
        """The number of classes."""
        return len(self.rows)

    def chunks(self, tokens: int) -> tuple[Tails, ...]:
        """The tails, sorted by length, in parts of at most `tokens` tokens each; a part has at least one class.

        A part is a rectangle of at most twice as many places, so that a long name does not widen many short ones.
        """
        return _chunks(self, tokens)

    def to(self, device: torch.device) -> ClassTexts:
        """The same sentences with their index tensors on a device."""
        if device == self.device:
            return self
        ids, numbers, places = (t.to(device) for t in (self.lead.ids, self.lead.slot_numbers, self.lead.slot_places))
        lead = Lead(self.lead.stem, ids, numbers, places, self.lead.inserted)
        return ClassTexts(self.layout, lead, self.rows, self.slots, device)

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


def class_texts(names: Sequence[str], layout: TextLayout, tokenizer: Tokenizer, context: int) -> ClassTexts:
    """The sentences of these class names under a layout, as tokens.

    An empty name gives the sentence without a name. Raises ValueError for another one of which no token is left, for a
    sentence that does not fit the text tower, naming the class and the limit, and for a template with fewer tokens
    before the name than slots.
    """
    for name in names:
        if name and not tokenizer.encode(name):
            raise ValueError(f"the class name {name!r} has no character that CLIP reads: give it a name in words")
    pairs = [sentence(name if layout.raw_names else words(name), layout, tokenizer) for name in names]
    for name, (ids, _) in zip(names, pairs, strict=True):
        if len(ids) > context:
            slots, fewer = "", "choose a shorter template"
            if layout.slots:
                slots, fewer = f" with {layout.slots} prompt slots", "use fewer slots"
            raise ValueError(
                f"{name!r} in {layout.template!r} needs {len(ids)} tokens{slots}; the text tower holds {context}: "
                f"shorten the name or {fewer}"
            )
    probe = [sentence("", layout, tokenizer)] if layout.probe else []
    columns = zip(*(zip(*pair, strict=True) for pair in pairs + probe), strict=False)
    stem = 0
    for column in columns:
        if len(set(column)) > 1 or (layout.per_class and column[0][1] != FIXED):
            break
        stem += 1
    stem = min(stem, *(len(ids) - 1 for ids, _ in pairs + probe), len(pairs[0][0]) - 1)
    ids, slots = probe[0] if probe else (pairs[0][0][:stem], pairs[0][1][:stem])
    inserted = layout.slots if layout.inserted else 0
    numbers, places = (list(range(inserted)), list(range(1, 1 + inserted))) if inserted else _slots(slots)
    lead = Lead(
        stem,
        torch.tensor(ids),
        torch.tensor(numbers, dtype=torch.int64),
        torch.tensor(places, dtype=torch.int64),
        inserted,
    )
    return ClassTexts(layout, lead, tuple(ids for ids, _ in pairs), tuple(slots for _, slots in pairs))


def _slots(marks: Sequence[int]) -> tuple[list[int], list[int]]:
    """The numbers and the places of the slots among these tokens."""
    places = [place for place, mark in enumerate(marks) if mark != FIXED]
    return [marks[place] for place in places], places


@lru_cache(maxsize=64)
def _chunks(texts: ClassTexts, tokens: int) -> tuple[Tails, ...]:
    stem = texts.lead.stem
    order = sorted(range(texts.classes), key=lambda c: len(texts.rows[c]))
    groups: list[list[int]] = [[]]
    used = 0
    for c in order:
        length = len(texts.rows[c]) - stem
        if groups[-1] and (used + length > tokens or (len(groups[-1]) + 1) * length > 2 * tokens):
            groups.append([])
            used = 0
        groups[-1].append(c)
        used += length
    return tuple(_tails(texts, group) for group in groups)


def _tails(texts: ClassTexts, classes: list[int]) -> Tails:
    stem = texts.lead.stem
    rows = [texts.rows[c][stem:] for c in classes]
    longest = max(map(len, rows))
    starts = [0]
    for row in rows:
        starts.append(starts[-1] + len(row))
    found = [_slots(texts.slots[c][stem:]) for c in classes]

    def tensor(values: object) -> Tensor:
        return torch.tensor(values, dtype=torch.int64, device=texts.device)

    lengths = tensor([len(row) for row in rows])
    return Tails(
        classes=tensor(classes),
        ids=tensor([token for row in rows for token in row]),
        positions=tensor([stem + k for row in rows for k in range(len(row))]),
        spread=tensor(
            [[start + min(k, len(row) - 1) for k in range(longest)] for start, row in zip(starts, rows, strict=False)]
        ),
        pack=tensor([c * longest + k for c, row in enumerate(rows) for k in range(len(row))]),
        ends=tensor(starts[1:]) - 1,
        before_end=(torch.arange(longest, device=texts.device) < lengths[:, None])[:, None],
        slot_numbers=tensor(found[0][0]),
        slot_places=tensor([[start + k for k in places] for start, (_, places) in zip(starts, found, strict=False)]),
        slot_spread=tensor([places for _, places in found]),
    )
