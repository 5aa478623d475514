"""The sentence around a class name: which of its tokens are slots for prompts, and where the name stands among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bmip.class_names import check_template
from bmip.clip.tokenizer import Tokenizer

Position = Literal["end", "middle", "front"]

FIXED = -1
"""Marks a token that is a fixed word, not a slot."""


@dataclass(frozen=True)
class TextLayout:
    """Where the prompt slots and the class name stand in a method's sentences.

    Raises ValueError for a template without exactly one {}, for `per_class` together with `probe`, and for `inserted`
    slots that are per class or have a position.
    """

    template: str = "a photo of a {}."
    """The sentence, with {} for the class name."""

    slots: int = 0
    """How many prompt tokens. They replace the first `slots` tokens of the template, whose other words stay; until the
    layer of the first prompt those tokens stand there as words."""

    position: Position = "end"
    """Where the name stands among the slots. "middle" and "front" allow no fixed word before it."""

    inserted: bool = False
    """Whether the slots replace nothing: from the layer of the first prompt on they stand between the start token and
    the template, and have no positional embedding."""

    per_class: bool = False
    """Whether each class has prompt tokens of its own."""

    raw_names: bool = False
    """Whether class names keep their underscores. (ProDA, as released)"""

    probe: bool = False
    """Whether a sentence without a class name runs too; prompts that read the text tower's attention need it."""

    def __post_init__(self) -> None:
        check_template(self.template)
        if self.per_class and self.probe:
            raise ValueError("slots per class are read from each class's own sentence: leave `probe` off")
        if self.inserted and (self.per_class or self.position != "end"):
            raise ValueError("inserted slots stand before every sentence: leave `per_class` and `position` alone")


def sentence(name: str, layout: TextLayout, tokenizer: Tokenizer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Token ids, and for each token the number of its slot or FIXED. An empty name gives the sentence without a name.

    Raises ValueError for a template with fewer tokens before the name than slots, or with fixed words before a name
    that does not stand at the end.
    """
    before, after = layout.template.split("{}")
    slots_in_words = 0 if layout.inserted else layout.slots
    whole = tokenizer.encode(f"{before}{name}{after}" if name else f"{before.rstrip()}{after}")
    context = len(tokenizer.encode(before))
    if slots_in_words > context:
        raise ValueError(
            f"the template {layout.template!r} has {context} tokens before the class name, fewer than the "
            f"{layout.slots} slots: lengthen it, for instance with 'X' for every slot"
        )
    ids, slots = list(whole), [k if k < slots_in_words else FIXED for k in range(len(whole))]
    if layout.position != "end":
        if layout.slots != context:
            raise ValueError(
                f"{layout.template!r} keeps {context - layout.slots} fixed words before the name; with the name in "
                f"the {layout.position} every token before it must be a slot: use 'X' for every slot"
            )
        first = layout.slots // 2 if layout.position == "middle" else 0
        # the dots of a name become one token with that of the template
        named = min(layout.slots + len(tokenizer.encode(name)), len(whole))
        order = [*range(first), *range(layout.slots, named), *range(first, layout.slots), *range(named, len(whole))]
        ids, slots = [ids[k] for k in order], [slots[k] for k in order]
    return (tokenizer.start, *ids, tokenizer.end), (FIXED, *slots, FIXED)
