"""Sentences about classes from a JSON file, in the format of the CoPrompt repository: {class name: [sentence, ...]}."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from bmip.class_names import ClassNames, as_read
from bmip.system.messages import counted, first_few


def read_sentences(file: str | Path) -> dict[str, list[str]]:
    """The sentences in the file, by class name.

    Raises ValueError for a file that cannot be read, and for one that does not map class names to lists of sentences.
    """
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
    """The sentences about each class, in the order of the classes. Names count as CLIP reads them.

    Raises ValueError that lists the classes without sentences.
    """
    spelled = {as_read(name): own for name, own in known.items()}
    if missing := [name for name in classes.names if as_read(name) not in spelled]:
        raise ValueError(
            f"sentences are missing for {len(missing)} of {counted(len(classes), 'class')}: {first_few(missing)}; add "
            "them to the file"
        )
    return [spelled[as_read(name)] for name in classes.names]
