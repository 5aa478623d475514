"""Files of released code are read without running anything in them."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from bmip.interchange import files
from bmip.interchange.files import read_released, write_released
from bmip.prompting.released import ReleasedError


class Warmup(lr_scheduler.LRScheduler):
    """As in Dassl: the scheduler of the epochs after warm-up is an attribute, so it is in the state, as an object."""

    def __init__(self, optimizer: torch.optim.Optimizer, successor: lr_scheduler.LRScheduler) -> None:
        self.successor = successor
        super().__init__(optimizer)

    def get_lr(self) -> list[float]:
        return [1e-5]


OPTIMISERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
SCHEDULERS = {
    "cosine": lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, 10.0),
    "single_step": lambda optimizer: lr_scheduler.StepLR(optimizer, 3),
    "multi_step": lambda optimizer: lr_scheduler.MultiStepLR(optimizer, [2, 3]),
}


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("zipped", [True, False])
def test_checkpoints_as_dassl_writes_them(tmp_path: Path, optimiser: str, scheduler: str, zipped: bool) -> None:
    """They hold a scheduler object, which holds the optimiser; torch's restricted reader alone refuses them."""
    file, ctx = tmp_path / "model.pth.tar-5", torch.nn.Parameter(torch.randn(2, 3))
    optimizer = OPTIMISERS[optimiser]([ctx], lr=0.1)
    successor = SCHEDULERS[scheduler](optimizer)
    warmup = Warmup(optimizer, successor)
    ctx.sum().backward()
    optimizer.step()
    successor.step()
    content = {
        "state_dict": {"module.ctx": ctx.detach(), "token_prefix": torch.ones(1)},
        "epoch": 5,
        "optimizer": optimizer.state_dict(),
        "scheduler": warmup.state_dict(),
        "val_result": np.float64(71.5),
    }
    torch.save(content, file, _use_new_zipfile_serialization=zipped)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(file, weights_only=True)
    found = read_released(file).tensors
    assert found.keys() == {"ctx", "token_prefix"}
    assert torch.equal(found["ctx"], ctx)


def test_a_bare_state_dict_and_nested_tables(tmp_path: Path) -> None:
    write_released(tmp_path / "below" / "x.pt", {"weights": {"layer_0": {"a": torch.ones(2)}}, "metadata": {"r": 2}})
    found = read_released(tmp_path / "below" / "x.pt")
    assert (list(found.tensors), found.settings) == (["weights.layer_0.a"], {"metadata.r": 2})


class Malicious:
    """Creates a file when it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple:
        return Path.touch, (self.place,)


class Command(Malicious):
    def __reduce__(self) -> tuple:
        return __import__("os").system, (f"touch {self.place}",)


@pytest.mark.parametrize("kind", [Malicious, Command])
@pytest.mark.parametrize("how", ["zip", "legacy", "pickle"])
def test_code_in_a_file_is_not_run(tmp_path: Path, kind: type[Malicious], how: str) -> None:
    file, place = tmp_path / "model.pth.tar-5", tmp_path / "touched"
    content = {"state_dict": {"ctx": torch.ones(2, 3)}, "scheduler": kind(place)}
    if how == "pickle":
        file.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, file, _use_new_zipfile_serialization=how == "zip")
    with pytest.raises(ReleasedError, match=r"not opened|cannot be read"):
        read_released(file)
    assert not place.exists()
    if how != "pickle":  # the file does what it is feared to do
        torch.load(file, weights_only=False)
        assert place.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"epoch": 5}, "no tensors by name; it holds a table with epoch"),
        ({"state_dict": {}}, "no tensors by name; it holds a table with nothing"),
        ([1, 2], r"no tensors by name; it holds \[1, 2\]"),
    ],
)
def test_files_without_tensors(tmp_path: Path, content: object, message: str) -> None:
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(ReleasedError, match=message):
        read_released(tmp_path / "x.pt")


def in_itself() -> dict[str, object]:
    table: dict[str, object] = {"ctx": torch.ones(2)}
    table["self"] = table
    return table


def deep() -> dict[str, object]:
    table: dict[str, object] = {"ctx": torch.ones(2)}
    for _ in range(300):
        table = {"a": table}
    return table


SHARED = {"ctx": torch.ones(2)}


@pytest.mark.parametrize("bare", [True, False])
@pytest.mark.parametrize(
    ("state", "message"),
    [
        (in_itself(), "self is a table that is in it twice"),
        ({"a": SHARED, "b": {"c": SHARED}}, "b.c is a table that is in it twice"),
        ({"ctx": torch.eye(3).to_sparse()}, "ctx is sparse"),
        ({"ctx": torch.empty(3, device="meta")}, "ctx lies on meta"),
        ({"ctx": torch.ones(1).expand(10**11, 512)}, r"ctx is \(100000000000, 512\) and holds fewer numbers"),
        ({"ctx": torch.ones(2, dtype=torch.complex64)}, "ctx has numbers of the type torch.complex64"),
        ({"module.ctx": torch.zeros(1), "ctx": torch.ones(1)}, "ctx is in it twice"),
        ({"a.ctx": torch.zeros(1), "a": {"ctx": torch.ones(1)}}, "a.ctx is in it twice"),
        ({1: torch.zeros(1), "1": torch.ones(1)}, "1 is in it twice"),
    ],
)
def test_tables_and_tensors_that_are_not_plain(tmp_path: Path, state: object, message: str, bare: bool) -> None:
    """Each would be an error without a file's name later on, or would lose numbers without a word."""
    file = tmp_path / "x.pt"
    torch.save(state if bare else {"state_dict": state}, file)
    with pytest.raises(ReleasedError, match=rf"x\.pt: {message}"):
        read_released(file)


def test_tables_in_tables_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(deep(), tmp_path / "x.pt")
    assert list(read_released(tmp_path / "x.pt").tensors) == [".".join(["a"] * 300 + ["ctx"])]
    table = deep()
    for _ in range(2000):
        table = {"a": table}
    monkeypatch.setattr(files, "load_pickle", lambda source: table)
    with pytest.raises(ReleasedError, match=r"x\.pt has too many tables inside each other"):
        read_released(tmp_path / "x.pt")


def test_parts_of_larger_tensors_are_taken(tmp_path: Path) -> None:
    whole = torch.arange(12.0).reshape(3, 4)
    torch.save(
        {"ctx": whole[:, :2].T, "none": torch.empty(0, 4), "tokens": torch.ones(2, dtype=torch.int64)},
        tmp_path / "x.pt",
    )
    assert torch.equal(read_released(tmp_path / "x.pt").tensors["ctx"], whole[:, :2].T)


def test_damaged_and_missing_files(tmp_path: Path) -> None:
    file = tmp_path / "x.pt"
    with pytest.raises(ReleasedError, match="is no file"):
        read_released(file)
    torch.save({"ctx": torch.randn(200, 200)}, file)
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(ReleasedError, match="cannot be read"):
        read_released(file)
    file.write_bytes(b"hello")
    with pytest.raises(ReleasedError, match=r"cannot be read|not opened"):
        read_released(file)
