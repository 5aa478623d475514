"""The one spelling of a method's name. Nothing here imports a method."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path

from bmip.system.messages import nearest


def method_name(given: str, known: Collection[str]) -> str:
    """The name under which results, checkpoints and `load_method` know what a user calls a method.

    Methods of the package are `known`; "zero-shot" is one spelling of "zero_shot". A method from outside is named by
    its module: "my.module", "my_method", or the file "./my_method.py", whose folder Python then searches too. "+" joins
    the parts of a combination.

    Raises ValueError for a part that is none of these, with the nearest known name.
    """
    return "+".join(_part(part.strip(), known) for part in given.split("+"))


def check_written(name: str, known: Collection[str]) -> None:
    """Raises ValueError for a method's name that a file gives and whose import could run code that lies beside it.

    Accepted are the methods of the package, modules that are imported already, and modules that were installed or whose
    folder is in PYTHONPATH. The folder in which Python was started is none of these.
    """
    for part in name.split("+"):
        if part.replace("-", "_") not in known and part not in sys.modules and not _is_installed(part):
            raise ValueError(
                f"the method {part!r} is none of bmip's, and only code that was installed is run for a file: import "
                "its module first, or put the module's folder into PYTHONPATH"
            )


def asked_name(name: str) -> str:
    """The method as one asks for it, such as "zero-shot"; a dotted path stays as it is."""
    return "+".join(part if "." in part else part.replace("_", "-") for part in name.split("+"))


def _part(given: str, known: Collection[str]) -> str:
    name = given.replace("-", "_")
    if name in known:
        return name
    if given.endswith(".py"):
        return _module_of(Path(given).resolve(), known)
    if "." in given or (given.isidentifier() and find_spec(given) is not None):
        return given
    raise ValueError(
        f"there is no method {given!r} (one from outside is named by its file, ./my_method.py, or by its module, whose "
        "folder must be in PYTHONPATH): "
        f"{nearest(name, known)}"
    )


def _is_installed(module: str) -> bool:
    top = module.partition(".")[0]
    if not all(part.isidentifier() for part in module.split(".")) or top in sys.stdlib_module_names:
        return False
    found = find_spec(top)  # does not import it
    if found is None:
        return False
    package = found.submodule_search_locations
    folder = Path(next(iter(package))).parent if package else Path(found.origin or "").parent
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return folder.resolve() != Path.cwd() or any(Path(one).resolve() == folder.resolve() for one in named if one)


def _module_of(file: Path, known: Collection[str]) -> str:
    if not file.is_file():
        raise ValueError(f"the method's file {file} does not exist")
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    found = find_spec(file.stem) if file.stem.isidentifier() and file.stem not in known else None
    if found is None or found.origin != str(file):
        raise ValueError(f"{file} cannot be imported as {file.stem!r}, which is another module's name: rename the file")
    return file.stem
