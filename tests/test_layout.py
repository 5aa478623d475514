"""The house keeps its order: every folder says what belongs there, and imports run one way."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "bmip"

LAYERS = (
    ("class_names", "embedded.pictures", "metrics", "system"),
    ("clip", "embedded.scenes"),
    ("clip.loading", "data"),
    ("run_spec",),
    ("prompting",),
    ("methods", "evaluation"),
    ("training", "interchange", "embedded.pretrain"),
    ("experiments",),
    ("explaining", "exporting", "learner", "studies"),
    ("report",),
    ("report.page", "serving"),
    ("cli",),
    ("testing",),
)
"""The rooms from the bottom to the top. A room imports from rooms of lower layers only."""

FLOOR = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}
MODULES = {
    ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): file
    for file in sorted(PACKAGE.rglob("*.py"))
}


def imported(module: str) -> set[str]:
    """The modules of the package that a module imports anywhere in its text."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "bmip":
            base = node.module.removeprefix("bmip").removeprefix(".")
            inside = {f"{base}.{alias.name}".removeprefix(".") for alias in node.names} & MODULES.keys()
            found |= inside or {base or "__init__"}
        elif isinstance(node, ast.Import):
            found |= {name.name.removeprefix("bmip.") for name in node.names if name.name.startswith("bmip.")}
    return found - {module}


def room(module: str) -> str | None:
    """The room of a module; None for the public face, which may import from everywhere."""
    parts = module.split(".")
    names = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
    return next((name for name in names if name in FLOOR), None)


def test_every_module_has_a_room() -> None:
    assert [module for module in MODULES if room(module) is None and "." in module] == []


@pytest.mark.parametrize("module", [module for module in MODULES if room(module)])
def test_imports_run_downwards(module: str) -> None:
    own = room(module)
    assert own is not None
    upward = {other: room(other) for other in imported(module) if room(other) != own}
    assert [other for other, its in upward.items() if its is None or FLOOR[its] >= FLOOR[own]] == []


def test_no_circles_between_modules() -> None:
    waiting = {module: imported(module) & MODULES.keys() for module in MODULES}
    while free := [module for module, needed in waiting.items() if not needed]:
        for module in free:
            del waiting[module]
        for needed in waiting.values():
            needed.difference_update(free)
    assert waiting == {}


@pytest.mark.parametrize("folder", sorted({file.parent for file in MODULES.values()}), ids=lambda folder: folder.name)
def test_every_folder_says_what_belongs_there(folder: Path) -> None:
    assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
