"""Phrases that many messages need."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

FEW = 5
"""How many names or faults a message shows."""


def nearest(wrong: str, known: Iterable[str], otherwise: str = "there are") -> str:
    """A question for the known name that is most like `wrong`; if none is like it, `otherwise` and all known names.

    Capital and small letters count as equal.

    >>> nearest("dpeth", ["slots", "depth"]), nearest("x", ["slots", "depth"], "it has")
    ("did you mean 'depth'?", 'it has slots, depth')
    """
    names = {name.lower(): name for name in known}
    near = difflib.get_close_matches(wrong.lower(), names, n=1)
    return f"did you mean {names[near[0]]!r}?" if near else f"{otherwise} {', '.join(names.values()) or 'none'}"


def counted(count: int, what: str) -> str:
    """A number of things, in the singular for one.

    >>> counted(1, "image"), counted(0, "class"), counted(2, "training image")
    ('1 image', '0 classes', '2 training images')
    """
    return f"{count} {what}" + ("" if count == 1 else "es" if what.endswith("s") else "s")


def first_few(items: Iterable[object], most: int = FEW, *, separator: str = ", ") -> str:
    """The first `most` items, and how many more there are; an empty text for no items.

    >>> first_few([1, 2, 3], most=2), first_few(["a"])
    ('1, 2 and 1 more', 'a')
    """
    texts = [str(item) for item in items]
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return separator.join(texts[:most]) + more


def plain(text: str) -> str:
    """The text with escapes in place of control characters, which a file's name may hold and a terminal would obey.

    >>> plain("a" + chr(27) + "[31mb" + chr(10))
    'a\\x1b[31mb\\n'
    """
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def first_line(error: Exception, most: int = 200) -> str:
    """The first line of an error's text, or the error's kind where it says nothing; at most so many characters."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:most]
