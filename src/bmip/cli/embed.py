"""`bmip embed RUN IMAGES... --out FILE`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bmip.cli import common_options, given_images
from bmip.cli.arguments import names_asked
from bmip.cli.command import Command
from bmip.cli.console import note
from bmip.system.files import write_bytes
from bmip.system.messages import counted

app = typer.Typer(add_completion=False)
ENDINGS = (".npz", ".parquet")


@app.command(cls=Command, epilog="Example: bmip embed runs/pets holiday/ --out features.npz")
def embed(
    run: common_options.Run,
    images: given_images.Places,
    to_file: Annotated[
        Path,
        typer.Option("--out", help=f"The file to write; its name ends in {' or '.join(ENDINGS)}.", metavar="FILE"),
    ],
    classes: common_options.Names = None,
    classes_file: common_options.NamesFile = None,
    backbone: common_options.OwnBackbone = None,
    device: common_options.Device = "auto",
    threads: common_options.Threads = None,
    debug: common_options.Debug = False,
) -> None:
    """Write the features of images and of classes into a file, for other programs.

    Features have length 1; their products times `scale` are the logits. For a method with a head or a read-out these
    are not its logits, which is told.
    All are kept in memory until they are written: 2 KB for each image with ViT-B/16.
    A name without an image stops the command before any work; images that cannot be read are listed at the end.
    """
    asked = names_asked(classes, classes_file)
    if to_file.suffix not in ENDINGS:
        raise ValueError(f"--out {to_file} must end in {' or '.join(ENDINGS)}")

    import numpy as np

    from bmip.cli.load_run import load_run
    from bmip.evaluation.feature_files import FORMATS, Features, check_writable
    from bmip.evaluation.features import picture_features
    from bmip.evaluation.predict import classes_of

    common_options.use_threads(threads)
    files = given_images.image_files(images)
    check_writable(to_file)
    model = load_run(run, backbone, device)
    names = classes_of(model, asked).names
    out = model.clip.config.out
    class_features = np.empty((0, out), np.float32)
    if model.prompter.reads_images:
        note("class features differ between images with this method, so the file has none")
        names = ()
    else:
        class_features = model.class_features(classes_of(model, asked))[0].float().cpu().numpy()
    if model.logits_need:
        note(f"the logits of this method need {model.logits_need}, so they are not the products of these features")
    unread: list[str] = []
    kept: list[str] = []
    found = [np.empty((0, out), np.float32)]
    for few, features in picture_features(model, files, unread=unread.append):
        kept += few
        found.append(features.numpy())
    content = FORMATS[to_file.suffix](
        Features(tuple(kept), np.concatenate(found), names, class_features, float(model.clip.scale))
    )
    write_bytes(to_file, content)
    note(f"features of {counted(len(kept), 'image')} and {counted(len(names), 'class')} written to {to_file}")
    given_images.report_unread(unread)
