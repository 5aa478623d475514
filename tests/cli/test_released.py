"""`bmip import-checkpoint` and `bmip export` on a checkpoint as MaPLe's released code writes it."""

import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from bmip.clip.loading.load import load_clip
from tests.cli.conftest import Cli
from tests.cli.test_errors import refused
from tests.cli.test_examples import run_page

CLASSES = "blue,green,grey,red"


def draw(*shape: int) -> Tensor:
    return 0.1 * torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


TRAINED = {
    "prompt_learner.ctx": draw(2, 32),
    "prompt_learner.proj.weight": draw(32, 32),
    "prompt_learner.proj.bias": draw(32),
    "prompt_learner.compound_prompts_text.0": draw(2, 32),
    "prompt_learner.compound_prompts_text.1": draw(2, 32) + 1,
    "prompt_learner.compound_prompt_projections.0.weight": draw(32, 32) + 1,
    "prompt_learner.compound_prompt_projections.0.bias": draw(32) + 1,
    "prompt_learner.compound_prompt_projections.1.weight": draw(32, 32) + 2,
    "prompt_learner.compound_prompt_projections.1.bias": draw(32) + 2,
}
"""What MaPLe trains on the small backbone: two tokens in three layers."""


@pytest.fixture
def released(here: Path, backbone: Path) -> Path:
    """With the words around the prompt tokens, as the released code stores them."""
    clip = load_clip(backbone)
    tokenizer, sentences = clip.tokenizer, [f"a photo of a {name}." for name in CLASSES.split(",")]
    ids = [[tokenizer.start, *tokenizer.encode(text), tokenizer.end] for text in sentences]
    words = clip.text.token_embedding.weight[torch.tensor([each + [0] * (20 - len(each)) for each in ids])]
    buffers = {"prompt_learner.token_prefix": words[:, :1], "prompt_learner.token_suffix": words[:, 3:]}
    torch.save({"state_dict": {**TRAINED, **buffers}, "epoch": 5}, here / "model.pth.tar-5")
    return here / "model.pth.tar-5"


def test_prompts_of_a_released_checkpoint(cli: Cli, released: Path, photos: Path, backbone: Path) -> None:
    asked = ("import-checkpoint", released, "--method", "maple", "--classes", CLASSES, "--backbone", backbone)
    found = cli(*asked, "--out", "prompts")
    assert found.status == 0, found.err
    assert "taken: 9 tensors, 3,360 numbers" in found.out
    assert "left out, made of the class names: 2 tensors (prompt_learner.token_prefix, " in found.out
    tensors = load_file("prompts/prompts.safetensors")
    assert torch.equal(tensors["prompter.text.2"], TRAINED["prompt_learner.compound_prompts_text.1"])
    assert torch.equal(tensors["prompter.to_image.0.bias"], TRAINED["prompt_learner.proj.bias"])

    told = cli("inspect", "prompts", "--words", "0").out
    assert "depth=3" in told and "model.pth.tar-5, SHA-256 " in told and "trained on" not in told
    answers = cli("predict", "prompts", "photos/red/00.png", "--format", "csv", "--backbone", backbone)
    assert answers.status == 0 and answers.out.splitlines()[1].split(",")[1] in CLASSES.split(",")
    assert cli("eval", "prompts", "--data", "photos", "--backbone", backbone).status == 0

    out = cli("export", "prompts", "--to", "dassl", "--out", "maple", "--backbone", backbone)
    file = Path("maple", "MultiModalPromptLearner", "model-best.pth.tar")
    assert out.status == 0 and str(file) in out.out
    content = torch.load(file, weights_only=True)
    assert content["epoch"] == 0 and content["state_dict"].keys() == TRAINED.keys()
    assert all(torch.equal(content["state_dict"][key], tensor) for key, tensor in TRAINED.items())

    before = file.read_bytes()
    refused(
        cli("export", "prompts", "--to", "dassl", "--out", "maple", "--backbone", backbone), f"{file} exists, and is"
    )
    assert file.read_bytes() == before

    unnamed = cli("import-checkpoint", released, "--method", "maple", "--backbone", backbone)
    assert unnamed.status == 0 and "are read from the file: blue, green, grey, red" in unnamed.err
    assert Path("runs/maple-imported/prompts.json").exists()
    assert cli(*asked).status == 0, "the same prompts may be written again"
    other = torch.load(released, weights_only=True)
    other["state_dict"]["prompt_learner.ctx"] += 1
    torch.save(other, "other.pth.tar-5")
    refused(cli(*("other.pth.tar-5" if part == released else part for part in asked)), "holds other prompts, which")
    Path("run").mkdir()
    Path("run/config.json").write_text("{}")
    refused(cli(*asked, "--out", "run"), "run holds a training run, whose prompts would be lost: name another folder")
    Path("run/config.json").rename("run/notes.json")
    refused(cli(*asked, "--out", "run"), "run holds other things than prompts: name another folder")
    assert [file.name for file in Path("run").iterdir()] == ["notes.json"]
    again = cli(*(file if part == released else part for part in asked), "--out", "again")
    assert again.status == 0, again.err
    assert Path("again/prompts.safetensors").read_bytes() == Path("prompts/prompts.safetensors").read_bytes()


def test_the_page_on_released_checkpoints(cli: Cli, released: Path, photos: Path, backbone: Path) -> None:
    place = Path("output", "MultiModalPromptLearner")
    place.mkdir(parents=True)
    released.rename(place / released.name)
    shutil.copy("photos/red/00.png", "photo.jpg")
    own = dict.fromkeys(("import-checkpoint", "predict", "export"), ("--backbone", str(backbone)))
    taken, answer, written = run_page(cli, "docs/using.md", first="## Checkpoints of released", more=own).values()
    assert "taken: 9 tensors" in taken and "photo.jpg" in answer and "model-best.pth.tar" in written
    assert Path("released", place.name, "model-best.pth.tar").exists()


def test_prompts_of_bmip_for_the_released_code(cli: Cli, photos: Path, backbone: Path) -> None:
    """Only what was trained as the released code computes can go there."""
    asked = ("train", "--data", "photos", "--method", "bmip", "--backbone", backbone, "--set", "depth=2")
    few = ("--epochs", "1", "--shots", "1", "--threads", "1", "--device", "cpu")
    assert cli(*asked, *few, "--out", "default").status == 0
    refused(cli("export", "default", "--to", "dassl", "--out", "x"), "gate_input = raw alone", "--preset released")
    assert cli(*asked, *few, "--preset", "released", "--out", "released").status == 0
    assert cli("export", "released", "--to", "dassl", "--out", "x").status == 0
    state = torch.load("x/MultiModalPromptLearner/model-best.pth.tar", weights_only=True)["state_dict"]
    assert state["image_encoder.transformer.resblocks.1.learnable_linear1.weight"].shape == (1, 1)


class Code:
    """Creates a file when it is unpickled."""

    def __reduce__(self) -> tuple:
        return os.mkdir, ("run",)


def test_what_is_refused(cli: Cli, released: Path, backbone: Path) -> None:
    asked = ("import-checkpoint", released, "--backbone", backbone, "--classes", CLASSES, "--method")
    refused(cli(*asked, "bmip"), "model.pth.tar-5", "no key prompt_learner.ctx_t", "CLIP it has prompt_learner.")
    refused(cli(*asked, "ivlp"), "no key image_encoder.VPT")
    refused(cli(*asked, "zero-shot"), "zero_shot has no released checkpoints; there are those of ", "maple")
    refused(cli(*asked, "maple", "--set", "slots=4"), "slots is 4, and the file says 2")
    refused(cli(*asked, "maple", "--preset", "relased"), "did you mean 'released'")
    unnamed = ("import-checkpoint", released, "--backbone", backbone, "--method", "maple")
    refused(cli(*unnamed, "--set", "context=an image of a"), "behind its prompt tokens stands ", "'image of a name .'")
    refused(cli("import-checkpoint", "absent.pt", *asked[2:], "maple"), "absent.pt is no file")
    refused(cli("inspect", released), "bmip import-checkpoint")
    refused(cli("export", "absent", "--to", "onx", "--out", "x"), "'onx'", "onnx")
    refused(cli("export", "absent", "--to", "dassl", "--out", "x", "--classes", "cat"), "leave --classes")

    torch.save({"state_dict": TRAINED, "scheduler": Code()}, released)
    refused(cli(*asked, "maple"), "was not opened", "can run code")
    released.write_bytes(released.read_bytes()[:2000])
    refused(cli(*asked, "maple"), "cannot be read")
    assert not Path("run").exists() and not Path("runs").exists()
