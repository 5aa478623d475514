"""Sentences about classes, from a JSON file of class name to sentences (as the CoPrompt repository has them)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from bmip.class_names import ClassNames, words


def read_sentences(file: str | Path) -> dict[str, list[str]]:
    """Raises ValueError for a file that is not there, or no JSON of class names to lists of sentences."""
    try:
        content = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"there are no sentences in {file}: {error.strerror}; give the path of a JSON file") from error
    except ValueError as error:
        raise ValueError(f"{file} is no JSON ({error}): it must hold class names and lists of sentences") from error
    right = isinstance(content, dict) and all(
        isinstance(own, list) and own and all(isinstance(text, str) and text.strip() for text in own)
        for own in content.values()
    )
    if not right:
        raise ValueError(f'{file} must hold class names and lists of sentences: {{"cat": ["a cat has fur", ...], ...}}')
    return content


def sentences_of(classes: ClassNames, known: Mapping[str, Sequence[str]]) -> list[Sequence[str]]:
    """The sentences about each class, whatever the case and the underscores of its name.

    Raises ValueError that lists the classes without any.
    """
    spelled = {words(name).lower(): own for name, own in known.items()}
    if missing := [name for name in classes.names if words(name).lower() not in spelled]:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise ValueError(f"{len(missing)} of {len(classes)} classes have no sentences: {shown}; add them to the file")
    return [spelled[words(name).lower()] for name in classes.names]
