"""`bmip serve PROMPTS`."""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from bmip.cli import common_options
from bmip.cli.command import Command
from bmip.cli.console import line, note
from bmip.cli.options import with_fields
from bmip.serving.limits import Limits

app = typer.Typer(add_completion=False)
EVERY_ADDRESS = ("0.0.0.0", "::")
LOOPBACK, LIMITS, ACCESS = "127.0.0.1", "Limits", "Other machines"
NEEDED = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")


@app.command(cls=Command, epilog="Example: bmip serve runs/pets --port 8000")
@with_fields(
    Limits,
    into="limits",
    panel=LIMITS,
    flags={field.name: f"--max-{field.name.replace('_', '-')}" for field in fields(Limits)},
    metavars={field.name: "N" for field in fields(Limits)},
    make=Limits,
)
def serve(
    run: common_options.Run,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.", metavar="N")] = 8000,
    host: Annotated[
        str,
        typer.Option(
            help="The address to listen at. With another than this machine's own, a token is required.",
            rich_help_panel=ACCESS,
        ),
    ] = LOOPBACK,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="A file with the token that requests must have. Otherwise one is made where it is required.",
            rich_help_panel=ACCESS,
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            help="Names under which a proxy or other machines reach this server; a token is required then.",
            rich_help_panel=ACCESS,
            metavar="NAME...",
            show_default=False,
        ),
    ] = None,
    backbone: common_options.OwnBackbone = None,
    device: common_options.Device = "auto",
    threads: common_options.Threads = None,
    debug: common_options.Debug = False,
    limits: Limits = Limits(),
) -> None:
    """Serve trained prompts: a page on this machine to drop pictures on, and the same as JSON.

    Other machines are answered only with --host, and then with a token.
    Nothing that is sent is kept.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise ImportError(f"bmip serve needs {', '.join(missing)}: pip install 'bmip[serve]'")
    open_to_others = not _is_loopback(host)
    token = _token(token_file, required=open_to_others or bool(allow_host))

    from bmip.cli.load_run import load_run
    from bmip.cli.remarks import remark_on_drawings
    from bmip.serving.app import make_app
    from bmip.serving.examples import example_pictures
    from bmip.serving.guard import Access
    from bmip.serving.server import address, listen, temporary_folder
    from bmip.serving.server import run as serve_on

    names = frozenset(_name(name) for name in (host, *(allow_host or ())) if name != LOOPBACK)
    access = Access(token, names if token else frozenset(), open_to_others)
    common_options.use_threads(threads)
    with listen(host, port) as listening, temporary_folder():
        model = load_run(run, backbone, device)
        application = make_app(model, limits, access, example_pictures(model.described()))
        remark_on_drawings(model.described().spec.backbone, ["what is sent"])
        place = address(host, listening)
        line(f"serving {run} at {place}/" + (f"?token={token}" if token and token_file is None else ""))
        if host in EVERY_ADDRESS:
            note(
                f"{host} stands for every address of this machine: on another machine, put an address of this one in "
                "its place, or a name that --allow-host gives"
            )
        note("Ctrl-C ends it")
        serve_on(application, listening)
    note("ended")


def _name(given: str) -> str:
    """The name of a server without its port, as requests name it. Raises ValueError for an address of a page."""
    from bmip.serving.guard import hostname

    name = hostname(f"[{given}]" if given.count(":") > 1 and "[" not in given else given)
    if name is None or "/" in given:
        raise ValueError(f"--allow-host is {given!r}: give a name alone, such as pets.example.org")
    return name


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _token(file: Path | None, *, required: bool) -> str | None:
    """The token in the file, or a new one where one is required; None where none is."""
    if file is None:
        return secrets.token_urlsafe(24) if required else None
    try:
        token = file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is no text, so it holds no token: name another file") from error
    if not token:
        raise ValueError(f"{file} is empty: write a token of 16 or more letters, digits, - and _ into it")
    return token
