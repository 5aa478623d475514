"""The names of the classes that a model classifies among, and the templates around them."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class ClassNames:
    """Class names and the sentences around them. A label is an index into `names`; labels are never looked up by name.

    Raises ValueError for an empty list, one text in place of a list, a name that is no text or is empty, names that
    CLIP reads alike, and a template without exactly one {}.
    """

    names: tuple[str, ...]
    template: str = "a photo of a {}."
    """The sentence of the zero-shot classifier; {} stands for the class name, in which _ becomes a space."""

    templates: tuple[str, ...] = ()
    """More sentences, for methods that average over several."""

    duplicates: bool = False
    """Allow equal names, as in ImageNet, where two names occur twice."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", texts(self.names, "class names"))  # a list has no hash
        object.__setattr__(self, "templates", texts(self.templates, "templates"))
        if not self.names:
            raise ValueError("the list of class names is empty: give at least one name")
        for index, name in enumerate(self.names):
            if not words(name):
                raise ValueError(f"class {index} has an empty name ({name!r}): give every class a name")
        counts = Counter(map(as_read, self.names))
        twice = dict.fromkeys(map(words, (name for name in self.names if counts[as_read(name)] > 1)))
        if twice and not self.duplicates:
            alike = ", as CLIP reads A and a alike" if len(twice) > 1 else ""
            named = ", ".join(map(repr, twice))
            raise ValueError(f"class names occur more than once{alike}: {named}: give each its own name")
        for template in (self.template, *self.templates):
            check_template(template)

    def __len__(self) -> int:
        return len(self.names)

    def same_set(self, other: ClassNames) -> bool:
        """Whether both hold the same classes, in whatever order and spelling, as far as CLIP tells spellings apart."""
        own, theirs = (set(map(as_read, one.names)) for one in (self, other))
        return own == theirs


def texts(given: Iterable[str], what: str) -> tuple[str, ...]:
    """The texts as a tuple. Raises ValueError for one text in place of a list, and for what is no text."""
    if isinstance(given, str):
        raise ValueError(f"{what} are a list, not one text: give [{given!r}]")
    if not isinstance(given, Iterable):
        raise ValueError(f"{what} are a list of texts, and {given!r} is none")
    found = tuple(given)
    if odd := [text for text in found if not isinstance(text, str)]:
        raise ValueError(f"{odd[0]!r} is among the {what}: each must be a text")
    return found


def words(name: str) -> str:
    """The class name as it stands in a sentence: with spaces for underscores."""
    return " ".join(name.replace("_", " ").split())


def as_read(name: str) -> str:
    """What CLIP reads of a class name. Names for which that is equal are the same class, however they are written."""
    return clean(words(name))


def clean(text: str) -> str:
    """Text with broken characters and HTML repaired, in lower case, with single spaces.

    (openai/CLIP simple_tokenizer.py: basic_clean, whitespace_clean)
    """
    if not text.isascii() or not text.isprintable() or "&" in text:  # in others, nothing is to be repaired
        import ftfy

        text = html.unescape(html.unescape(ftfy.fix_text(text)))
    return " ".join(text.split()).lower()


def check_class_names(classes: object) -> None:
    """Raises ValueError for anything but ClassNames, such as a list of names."""
    if not isinstance(classes, ClassNames):
        raise ValueError(
            f"the classes are a {type(classes).__name__}; ClassNames are needed: give bmip.ClassNames(('cat', 'dog'))"
        )


def check_template(template: str) -> None:
    """Raises ValueError unless the template has exactly one {}."""
    if template.count("{}") != 1:
        raise ValueError(
            f"the template {template!r} has {template.count('{}')} places for the class name; it needs one {{}}"
        )
