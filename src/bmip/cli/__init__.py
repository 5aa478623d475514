"""The command `bmip`. Results go to stdout; progress, remarks and errors to stderr.

Each command is a module beside this one, imported when it is called. Such a module imports at its top what its options
need, which is never torch; what the command computes with it imports when it runs, after its arguments were checked.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from bmip.cli.command import Group
from bmip.system.messages import nearest, plain

COMMANDS = {
    "demo": ("demo", "Train BMIP on two small data sets and look at what it does."),
    "train": ("train", "Train a method on a data set or on a folder of images."),
    "eval": ("evaluate", "Evaluate a trained method on the test images of a data set or folder."),
    "predict": ("predict", "Classify images among any class names."),
    "calibrate": ("calibrate", "Choose a threshold for images that are none of the classes."),
    "embed": ("embed", "Write the features of images and classes into a file."),
    "export": ("export", "Write trained prompts as files for other programs."),
    "inspect": ("inspect", "Show what trained prompts are, and the words nearest to them."),
    "explain": ("explain", "Draw what a trained model looks at in an image."),
    "serve": ("serve", "Serve trained prompts as a page and as JSON."),
    "import-checkpoint": ("import_checkpoint", "Make prompts of a checkpoint of released code."),
    "run": ("run", "Run a protocol over methods, data sets and seeds, and print the table."),
    "study": ("study", "Carry out a plan of many trials, on one machine or on many."),
    "report": ("report", "Print the tables of stored results, or write a page of them."),
    "results": ("results", "List, export and merge files of results."),
    "search": ("search", "Choose learning rate and epochs of methods on validation images."),
    "methods": ("methods", "List the methods, or what one can be told."),
    "backbones": ("backbones", "List the CLIP models known by name."),
    "data": ("data", "List, check and fetch data sets."),
    "pretrain": ("pretrain", "Train the small CLIP that comes with bmip anew."),
}
"""Name -> module and short description, in the order in which they are listed."""

EXAMPLE = "bmip run base-to-novel --method zero-shot bmip --data digits --seeds 1 2 3"
RESUMED = ("demo", "train", "run", "study", "search", "data", "pretrain")
"""Commands that go on, when they are given again, where they were stopped."""

FAILED, INTERRUPTED = 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    warnings.filterwarnings("ignore", module="PIL")  # about oddities of a file; what cannot be read is an error
    _take_all_names()
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    if "" not in sys.path:
        sys.path.append("")  # methods in the working folder, as with `python -m bmip`
    try:
        status = _run(given)
    except (KeyboardInterrupt, typer.Abort):
        if debug:
            raise
        status = INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        if debug:
            raise
        message = _message(error)
        if message is None:
            raise
        print("Error:", "\n".join(map(plain, message.splitlines())), file=sys.stderr)
        return FAILED
    if status == INTERRUPTED:  # some versions of typer return it, others raise
        again = " The same command goes on where it was." if given and given[0] in RESUMED else ""
        print(f"Stopped.{again}", file=sys.stderr)
    return status


def _take_all_names() -> None:
    """Lets names of files pass that are not text in the terminal's encoding; what it lacks is written with escapes."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            text = stream.encoding.lower().replace("-", "") == "utf8" and stream is not sys.stderr
            stream.reconfigure(errors="surrogateescape" if text or stream is sys.stdin else "backslashreplace")


class _Commands(Group):
    """The commands by name and summary; the module of one is imported when it is called or completed."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, *rest = args
        if name in COMMANDS:
            module = importlib.import_module(f"bmip.cli.{COMMANDS[name][0]}")
            return name, typer.main.get_command(module.app), rest
        if ctx.resilient_parsing:  # the shell completes
            return None, None, rest
        raise ValueError(f"there is no command {name!r}: {nearest(name, COMMANDS)}")


app = typer.Typer(
    cls=_Commands,
    help="Prompt learning for a frozen CLIP: BMIP and the methods it is compared with.",
    epilog=f"Example: {EXAMPLE}",
    context_settings={"help_option_names": ["--help", "-h"]},
)
for _name, (_, _summary) in COMMANDS.items():
    app.command(_name, help=_summary)(lambda: None)


def _version(asked: bool) -> bool:
    if asked:
        from importlib.metadata import version

        print(f"bmip {version('bmip')}")
        raise typer.Exit
    return asked


@app.callback()
def before_the_command(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Takes the options that stand before the command."""


def _run(given: list[str]) -> int:
    status = app(given or ["--help"], prog_name="bmip", standalone_mode=False)
    return status if isinstance(status, int) else 0


def _message(error: Exception) -> str | None:
    """One or two lines for what a user can mend; None for a fault of the program."""
    usage = typer.BadParameter.__mro__[2]  # ClickException: typer carries its own click or uses the installed one
    if isinstance(error, usage):
        return f"{error.format_message()} (see --help)"  # type: ignore[attr-defined]
    if isinstance(error, FileNotFoundError) and error.filename is not None:
        return f"{error.filename} does not exist"
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename} cannot be used: {error.strerror.lower()}"
    if isinstance(error, ValueError | OSError | ImportError | ArithmeticError) or _is_ours(error):
        return " ".join(str(error).split()) or type(error).__name__
    return None


def _is_ours(error: Exception) -> bool:
    return type(error).__module__.split(".")[0] == "bmip"
