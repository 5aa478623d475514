"""An export that fails or is stopped leaves the folder as it was."""

from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest
import torch

from bmip.data.dataset import Split
from bmip.exporting import int8, to_onnx, to_torch
from bmip.exporting.folder import Export, read_export, staged
from bmip.exporting.image_side import ExportError
from bmip.testing import cases
from bmip.testing.case import CLASSES


def fail(*given: object) -> NoReturn:
    raise ExportError("these logits differ")


def content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize(("target", "kind"), [(to_onnx, "onnx"), (to_torch, "torch")])
def test_an_export_that_fails_leaves_the_folder_as_it_was(
    target: ModuleType, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second call works. Over an older export the older tower stays, also where int8 fails."""
    model, folder = cases("vpt")[0].model(torch.float32), tmp_path / "new"
    with monkeypatch.context() as failing:
        failing.setattr(target, "check_equal", fail)
        with pytest.raises(ExportError, match="these logits differ"):
            target.write(model, CLASSES, "abc", folder)
    assert not folder.exists()

    folder.mkdir()
    (folder / ".export.part").mkdir()  # what a killed export leaves
    (folder / ".export.part" / target.TOWER).write_bytes(b"a part")
    assert read_export(folder) is None
    target.write(model, CLASSES, "abc", folder)
    written = content(folder)
    assert written.keys() == {target.TOWER, "classes.npy", "classes.json", "example.py", "export.json"}
    assert read_export(folder) == Export(kind, "abc")

    monkeypatch.setattr(target, "check_equal", fail)
    monkeypatch.setattr(int8, "quantise", lambda tower, to: fail(to.write_bytes(b"a part")))
    with pytest.raises(ExportError, match="these logits differ"):
        target.write(cases("vpt")[0].model(torch.float32), CLASSES, "abc", folder)
    with pytest.raises(ExportError, match="these logits differ"):
        int8.add_int8(model, CLASSES, "abc", folder, Split((), ()))
    assert content(folder) == written


def test_a_stopped_export_leaves_an_empty_folder_empty(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), staged(tmp_path) as part:
        (part / "image_tower.onnx").write_bytes(b"a part")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
