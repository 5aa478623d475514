"""Which changes of the code the tests notice: `make mutants PART=metrics`, or `python -m tools.mutants metrics`.

mutmut (`pip install '.[mutants]'`) changes one place of the code at a time, such as `<` to `<=`: a mutant. The tests
that reach the changed function then run until one fails. A mutant that no test notices has survived, and is printed.

The work goes on in build/mutants/PART, on a copy of the code. There the tests run with three differences: shapes are
checked by an import hook instead of a pytest option, which mutmut could use only once in its process; tests with random
examples take 30, the same ones in each run; and a failure is not simplified. Texts of errors are not changed, nor other
lines that begin with a text.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPIED = ("src", "tests", "examples", "docs", "plans", "README.md")
"""What the tests read; mutmut copies the first two by itself."""


@dataclass(frozen=True)
class Part:
    """Files of src/bmip whose code is changed, as patterns, and what pytest is asked for, the fastest tests first."""

    code: tuple[str, ...]
    tests: tuple[str, ...]


SLOW = "(bmip+ or promptsrc or bfloat16 or chunks or five_steps)"
"""Combinations and checks of BMIP that compute the same code again."""

PARTS = {
    "metrics": Part(("metrics/*",), ("tests/metrics",)),
    "bmip": Part(
        ("methods/bmip/*",),
        ("tests/methods/test_bmip.py", "tests/contract", "tests/golden", "-k", f"bmip and not {SLOW}"),
    ),
    "towers": Part(
        ("clip/block.py", "clip/image.py", "clip/text.py", "clip/text_layout.py"),
        ("tests/clip/test_towers.py", "tests/clip/test_texts.py", "tests/golden/test_methods.py"),
    ),
    "prompting": Part(
        ("prompting/averaging.py", "prompting/head.py", "prompting/low_rank.py", "prompting/initial_prompts.py"),
        ("tests/prompting", "tests/methods", "tests/golden/test_heads.py", "tests/training"),
    ),
    "splits": Part(("data/sampling.py",), ("tests/data/test_sampling.py", "tests/data/test_shots.py")),
    "protocols": Part(("experiments/protocols/*",), ("tests/experiments/protocols",)),
}

CONFTEST = '''"""What is different for tests on mutants: the check of shapes, their order, their random examples."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from jaxtyping import install_import_hook

install_import_hook("bmip", "beartype.beartype")
settings.register_profile(
    "mutants",
    max_examples=30,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: next(place for place, name in enumerate(ORDER) if item.nodeid.startswith(name)))
'''

SETTINGS = """[tool.pytest.ini_options]
addopts = "-q --strict-markers -p no:cacheprovider --hypothesis-profile=mutants"
filterwarnings = ["error"]

[tool.mutmut]
source_paths = ["src"]
only_mutate = {code}
do_not_mutate_patterns = ['raise \\w+\\(', '^\\s*f?"']
also_copy = {copied}
pytest_add_cli_args_test_selection = {tests}
timeout_multiplier = 10.0
"""


def prepare(part: Part, folder: Path) -> None:
    """A new copy of the code, for mutmut to change. Verdicts of an earlier run would not know of tests that changed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, folder / name)
    (folder / "conftest.py").write_text(f"{CONFTEST}\n\nORDER = {part.tests}\n", encoding="utf-8")
    also = [*COPIED[2:], "conftest.py"]
    code = [f"src/bmip/{pattern}" for pattern in part.code]
    text = SETTINGS.format(code=json.dumps(code), tests=json.dumps(part.tests), copied=json.dumps(also))
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")


def mutmut(folder: Path, *arguments: str, show: bool = False) -> str:
    """Runs mutmut, on one thread. Raises CalledProcessError where it fails."""
    command = [str(Path(sys.executable).with_name("mutmut")), *arguments]
    own = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
    done = subprocess.run(command, cwd=folder, env=own, check=True, text=True, stdout=None if show else subprocess.PIPE)
    return done.stdout or ""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__.partition("\n")[0])
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    folder = ROOT / "build" / "mutants" / options.part
    prepare(PARTS[options.part], folder)
    mutmut(folder, "run", "--max-children", str(options.processes), show=True)
    mutmut(folder, "export-cicd-stats")
    counts = json.loads((folder / "mutants" / "mutmut-cicd-stats.json").read_text(encoding="utf-8"))
    for line in mutmut(folder, "results").splitlines():
        name, _, status = line.strip().partition(": ")
        print(f"\n{status}: {name}")
        if status == "survived":
            print(mutmut(folder, "show", name))
    noticed = counts["killed"] + counts["timeout"]
    print(
        f"{options.part}: {noticed} of {counts['total']} mutants noticed, {counts['timeout']} of them by a time limit"
    )


if __name__ == "__main__":
    main()
