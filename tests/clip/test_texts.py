"""Class names as sentences: what they become, how they are split, what is refused."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bmip.class_names import ClassNames, clean, words
from bmip.clip.text_layout import FIXED, TextLayout
from bmip.clip.texts import ClassTexts, class_texts
from bmip.clip.tokenizer import Tokenizer
from bmip.prompting.sentences import sentences_of

TOKENIZER = Tokenizer.default()
START, END = TOKENIZER.start, TOKENIZER.end


ALIKE = [
    ("caf\u00e9", "cafe\u0301"),
    ("bird’s nest", "bird's nest"),
    ("black & white", "black &amp; white"),
    ("ﬁsh", "fish"),
    ("ＣＡＴ", "cat"),
    ("sea_lion", "Sea  lion"),
]


@pytest.mark.parametrize("names", ALIKE)
def test_names_that_are_read_alike_are_one_class(names: tuple[str, str]) -> None:
    first, second = (ClassNames((name, "dog")) for name in names)
    assert TOKENIZER.encode(words(names[0])) == TOKENIZER.encode(words(names[1])) and first.same_set(second)
    assert sentences_of(second, {names[0]: ["a"], "dog": ["b"]}) == [["a"], ["b"]]


@settings(max_examples=200)
@given(st.lists(st.text("aB é\u0301e’'&;amp_ﬁi", min_size=1).filter(str.strip), min_size=2, max_size=2))
def test_accepted_names_are_read_differently(names: list[str]) -> None:
    try:
        ClassNames(tuple(names))
    except ValueError:
        return
    first, second = (clean(words(name)) for name in names)
    assert first != second


def texts(names: list[str], layout: TextLayout, context: int = 77) -> ClassTexts:
    return class_texts(names, layout, TOKENIZER, context)


def test_sentences_are_tokenised_whole() -> None:
    """ "St." before "." is one word of two points, as CLIP has it, and not two words of one."""
    (row,) = texts(["St."], TextLayout("a photo of {}.")).rows
    assert row == (START, *TOKENIZER.encode("a photo of St.."), END)
    assert len(row) == 7
    assert list(row[-3:-1]) == TOKENIZER.encode("st") + TOKENIZER.encode("..")


def test_stem_is_all_that_is_common() -> None:
    layout = TextLayout("a photo of a {}.", slots=2)
    found = texts(["red car", "red boat"], layout)
    assert found.lead.stem == 6  # [start], two slots, "of a", and "red"
    assert found.lead.slot_places.tolist() == [1, 2] and found.lead.slot_numbers.tolist() == [0, 1]
    assert texts(["red car", "blue boat"], layout).lead.stem == 5
    assert texts(["red car"], layout).lead.stem == 8  # a lone class keeps its [end]
    own = texts(["red car", "red boat"], TextLayout("a photo of a {}.", slots=2, per_class=True))
    assert own.lead.stem == 1 and not len(own.lead.slot_places)


def test_the_name_free_sentence_bounds_the_stem() -> None:
    found = texts(["red car", "red boat"], TextLayout("a photo of a {}.", slots=2, probe=True))
    assert found.lead.stem == 5
    assert found.lead.ids.tolist() == [START, *TOKENIZER.encode("a photo of a."), END]


@pytest.mark.parametrize(
    ("position", "marks"),
    [
        ("end", [0, 1, 2, 3, FIXED, FIXED]),
        ("middle", [0, 1, FIXED, FIXED, 2, 3]),
        ("front", [FIXED, FIXED, 0, 1, 2, 3]),
    ],
)
def test_the_name_stands_where_asked(position: str, marks: list[int]) -> None:
    layout = TextLayout("X X X X {}.", slots=4, position=position)
    found = texts(["golden retriever", "cat"], layout)
    assert list(found.slots[0]) == [FIXED, *marks, FIXED, FIXED]
    words = [token for token, mark in zip(found.rows[0], found.slots[0], strict=True) if mark == FIXED]
    assert words == [START, *TOKENIZER.encode("golden retriever."), END]


@settings(max_examples=60)
@given(
    names=st.lists(st.text("abc d.-", min_size=1).filter(str.strip), min_size=1, max_size=8, unique=True),
    slots=st.integers(0, 4),
    per_class=st.booleans(),
    tokens=st.integers(1, 30),
)
def test_stem_and_tails_make_up_the_sentences(names: list[str], slots: int, per_class: bool, tokens: int) -> None:
    found = texts(names, TextLayout("a photo of a {}.", slots, per_class=per_class))
    stem = found.lead.ids[: found.lead.stem].tolist()
    seen: dict[int, list[int]] = {}
    for chunk in found.chunks(tokens):
        assert len(chunk.ids) <= tokens or len(chunk.classes) == 1
        assert chunk.spread.numel() <= 2 * tokens or len(chunk.classes) == 1
        for c, row, end in zip(chunk.classes.tolist(), chunk.spread, chunk.ends.tolist(), strict=True):
            first = int(row[0])
            seen[c] = chunk.ids[first : end + 1].tolist()
            assert chunk.positions[first : end + 1].tolist() == list(range(len(stem), len(stem) + len(seen[c])))
        assert torch.equal(chunk.spread.flatten()[chunk.pack], torch.arange(len(chunk.ids)))
    assert {c: tuple(stem + tail) for c, tail in seen.items()} == dict(enumerate(found.rows))
    assert all(tail for tail in seen.values())


@pytest.mark.parametrize("position", ["front", "middle"])
def test_a_name_may_end_in_dots_that_join_the_last_one(position: str) -> None:
    name = "well,.."
    (row,) = texts([name], TextLayout("X X X X {}.", slots=4, position=position)).rows
    assert sorted(row[1:-1]) == sorted(TOKENIZER.encode(f"X X X X {name}."))


def test_one_long_name_does_not_widen_many_short_ones() -> None:
    long = " ".join(["word"] * 60)
    found = texts([*(f"cat {number}" for number in range(1000)), long], TextLayout(slots=0)).chunks(4096)
    assert sum(chunk.spread.numel() for chunk in found) < 1000 * 12
    assert found[-1].classes.tolist() == [1000]


def test_what_does_not_fit_names_the_class_and_the_limit() -> None:
    with pytest.raises(
        ValueError,
        match=r"'golden retriever' in 'a photo of a {}.' needs 9 tokens with 2 prompt slots; the text tower holds 8",
    ):
        texts(["cat", "golden retriever"], TextLayout(slots=2), context=8)
    with pytest.raises(ValueError, match="4 tokens before the class name, fewer than the 5 slots"):
        texts(["cat"], TextLayout(slots=5))
    with pytest.raises(ValueError, match="keeps 2 fixed words before the name"):
        texts(["cat"], TextLayout(slots=2, position="front"))


@pytest.mark.parametrize("template", ["a photo", "a {} and a {}"])
def test_a_template_has_one_place(template: str) -> None:
    with pytest.raises(ValueError, match=r"it needs one \{\}"):
        TextLayout(template)
    with pytest.raises(ValueError, match=r"it needs one \{\}"):
        ClassNames(("cat",), template)


@pytest.mark.parametrize("name", ["\ufeff", "&nbsp;", "\x00"])
def test_a_name_needs_a_character_that_is_read(name: str) -> None:
    with pytest.raises(ValueError, match="no character that CLIP reads"):
        texts(["cat", name], TextLayout())


def test_class_lists() -> None:
    with pytest.raises(ValueError, match="class 1 has an empty name"):
        ClassNames(("cat", " _"))
    with pytest.raises(ValueError, match="list of class names is empty"):
        ClassNames(())
    with pytest.raises(ValueError, match="more than once: 'sea lion'"):
        ClassNames(("sea_lion", "cat", "sea lion"))
    with pytest.raises(ValueError, match="as CLIP reads A and a alike: 'Cat', 'cat'"):
        ClassNames(("Cat", "dog", "cat"))
    for names in ALIKE:
        with pytest.raises(ValueError, match="class names occur more than once"):
            ClassNames(names)
    twice = ClassNames(("missile", "missile"), duplicates=True)
    rows = texts(list(twice.names), TextLayout()).rows
    assert rows[0] == rows[1] and len(rows) == 2
