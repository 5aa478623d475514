import dataclasses
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from bmip.class_names import ClassNames
from bmip.cli.load_run import load_run
from bmip.clip.loading.load import load_clip, save_clip
from bmip.clip.model import CLIP, CLIPConfig
from bmip.clip.tokenizer import Tokenizer
from bmip.data.read_config import ReadConfig
from bmip.evaluation.evaluate import evaluate
from bmip.methods import build_model, method_config
from bmip.prompting.checkpoint import CheckpointError, read_checkpoint
from bmip.prompting.model import PromptedCLIP
from bmip.run_spec import FORMAT, RunSpec, settings
from bmip.testing import tiny_clip, tiny_dataset
from bmip.training.checkpoint import from_pretrained
from bmip.training.run import train
from bmip.training.run_folder import RunFolder
from tests.training.tiny import OPTIONS

DATA = tiny_dataset()


def model(method: str = "bmip", seed: int = 1) -> PromptedCLIP:
    """Learned tensors unlike any initial ones."""
    built = build_model(method, OPTIONS[method], tiny_clip(), DATA.classes, seed=seed)
    with torch.no_grad():
        for tensor in built.trainable().values():
            tensor.add_(0.1)
    return built


def described(built: PromptedCLIP) -> PromptedCLIP:
    """As after training."""
    spec = replace(built.described().spec, data="colours", data_seed=3)
    built.description = replace(built.described(), spec=spec, split_hash="abc")
    return built


@pytest.mark.parametrize("method", OPTIONS)
def test_what_is_loaded_is_what_was_saved(method: str, tmp_path: Path) -> None:
    saved = model(method)
    saved.save_pretrained(tmp_path)
    loaded = from_pretrained(tmp_path, tiny_clip())
    assert loaded.trainable().keys() == saved.trainable().keys()
    assert all(torch.equal(tensor, saved.trainable()[name]) for name, tensor in loaded.trainable().items())
    assert not loaded.training
    others = ClassNames(("a red X", "grey green", "blue", "cat", "dog"))
    for classes in (DATA.classes, others):
        once, again = (evaluate(m, DATA.test, classes) for m in (saved, loaded))
        assert torch.equal(once.probability, again.probability)
        assert torch.equal(once.predicted, again.predicted)
    assert set(load_file(tmp_path / "prompts.safetensors")) == set(saved.trainable())


def test_the_configuration_says_everything(tmp_path: Path) -> None:
    described(model()).save_pretrained(tmp_path / "deep" / "mine.safetensors")
    said = json.loads((tmp_path / "deep" / "mine.json").read_text())
    assert said["spec"]["method"] == "bmip"
    assert said["options"]["depth"] == 3 and said["options"]["gate_input"] == "log"  # defaults are written down too
    assert said["backbone"] == {"source": "tiny", "sha256": "0" * 64}
    assert said["classes"]["names"] == ["red", "green", "blue", "grey"]
    assert said["classes"]["template"] == "a photo of a {}."
    assert (said["spec"]["data"], said["split_hash"], said["spec"]["data_seed"]) == ("colours", "abc", 3)
    assert {"bmip", "torch", "format"} <= said.keys()
    for path in ("mine.safetensors", "mine.json"):
        assert from_pretrained(tmp_path / "deep" / path, tiny_clip()).classes == DATA.classes
    assert read_checkpoint(tmp_path / "deep" / "mine.json")[0].classes == DATA.classes


def test_the_backbone_is_loaded_from_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_clip(tiny_clip(), "clip")
    clip = load_clip("clip")
    saved = build_model("bmip", OPTIONS["bmip"], clip, DATA.classes, seed=1)
    saved.save_pretrained(tmp_path)
    loaded = from_pretrained(tmp_path)
    assert torch.equal(
        evaluate(loaded, DATA.test, DATA.classes).probability, evaluate(saved, DATA.test, DATA.classes).probability
    )
    other = tiny_clip()
    other.source, other.sha256 = "another", "1" * 64
    told = (
        f"hash {clip.sha256[:12]}; 'another' holds other weights, with the hash 111111111111: .*--backbone.* clip= in"
    )
    with pytest.raises(CheckpointError, match=told) as raised:
        from_pretrained(tmp_path, other)
    assert "trained with the CLIP 'clip'" in str(raised.value)


def test_a_backbone_that_was_moved_or_is_in_another_file_is_taken_from_there(tmp_path: Path) -> None:
    save_clip(tiny_clip(), tmp_path / "clip")
    build_model("bmip", OPTIONS["bmip"], load_clip(tmp_path / "clip"), DATA.classes, seed=1).save_pretrained(tmp_path)
    (tmp_path / "clip").rename(tmp_path / "moved")
    with pytest.raises(CheckpointError, match=r"trained with the CLIP '.*clip', which is not there: .*--backbone"):
        from_pretrained(tmp_path)
    moved = from_pretrained(tmp_path, tmp_path / "moved")
    (tmp_path / "moved" / "model.safetensors").rename(tmp_path / "alone.safetensors")
    clip, words = moved.clip, tmp_path / "moved" / "tokenizer.json"
    heads = (clip.config.image_heads, clip.config.text_heads)
    again = load_clip(tmp_path / "alone.safetensors", heads=heads, activation="quick_gelu", tokenizer=words)
    assert from_pretrained(tmp_path, again).clip is again


def test_what_is_given_away_holds_no_path_of_the_machine(tmp_path: Path) -> None:
    """A run folder remembers where things lay, and prompts that were saved elsewhere do not."""
    save_clip(tiny_clip(), tmp_path / "clip")
    for name in ("names.json", "digits"):
        (tmp_path / name).touch()
    clip, data = load_clip(tmp_path / "clip"), str(tmp_path / "digits")
    read = ReadConfig(class_names=str(tmp_path / "names.json"))
    spec = RunSpec(
        method="bmip",
        data=data,
        read=read,
        backbone=clip.source,
        options=settings(depth=3),
        training=settings(epochs=1),
    )
    run = train(spec, clip, DATA, tmp_path / "run")
    assert str(tmp_path) not in (tmp_path / "run" / "prompts.json").read_text()
    inside = read_checkpoint(tmp_path / "run")[0]
    assert (inside.spec.data, inside.spec.read.class_names) == ("./digits", "./names.json"), "no data set's name"
    assert inside.places == spec.places() and inside.places["data"] == data
    assert from_pretrained(tmp_path / "run").classes == DATA.classes

    run.model.save_pretrained(tmp_path / "away")
    assert not any(str(tmp_path).encode() in file.read_bytes() for file in (tmp_path / "away").iterdir())
    with pytest.raises(CheckpointError, match=r"trained with the CLIP './clip', which is not there: .*clip="):
        from_pretrained(tmp_path / "away")
    from_pretrained(tmp_path / "away", tmp_path / "clip")
    (tmp_path / "run" / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"config.json is damaged"):
        read_checkpoint(tmp_path / "run")


def test_prompts_of_float16_are_used_on_a_processor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_clip(tiny_clip(), tmp_path / "clip")
    saved = build_model("bmip", OPTIONS["bmip"], load_clip(tmp_path / "clip"), DATA.classes, seed=1)
    spec = replace(saved.described().spec, training=settings(precision="float16"))
    saved.description = replace(saved.described(), spec=spec)
    saved.save_pretrained(tmp_path / "run")
    loaded = load_run(tmp_path / "run", str(tmp_path / "clip"), "cpu")
    assert loaded.clip.text.projection.weight.dtype == torch.float32 and loaded.described().spec.precision == "float16"
    assert "computed in float32: training used float16" in capsys.readouterr().err
    asked = from_pretrained(tmp_path / "run", tmp_path / "clip", precision="bfloat16")
    assert asked.clip.text.projection.weight.dtype == torch.bfloat16


def test_bmip_for_vit_b16_takes_less_than_7_mb(tmp_path: Path) -> None:
    with torch.device("meta"):
        clip = CLIP(CLIPConfig(224, 16, 768, 12, 12, 512, 12, 8, 77, 49408, 512), Tokenizer.default())
    clip.load_state_dict(
        {name: torch.zeros(()).expand(tensor.shape) for name, tensor in clip.state_dict().items()}, assign=True
    )
    built = build_model("bmip", {}, clip, DATA.classes, seed=1)
    built.save_pretrained(tmp_path)
    size = sum(file.stat().st_size for file in tmp_path.iterdir())
    assert 4 * sum(tensor.numel() for tensor in built.trainable().values()) < size < 7_000_000


class TestDamage:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        model().save_pretrained(tmp_path)
        return tmp_path

    def refused(self, folder: Path, told: str) -> None:
        with pytest.raises(CheckpointError, match=told) as raised:
            from_pretrained(folder, tiny_clip())
        assert str(folder) in str(raised.value)

    def change(self, folder: Path, **values) -> None:
        file = folder / "prompts.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | values))

    def test_missing(self, folder: Path) -> None:
        whole = (folder / "prompts.safetensors").read_bytes()
        (folder / "prompts.safetensors").unlink()
        self.refused(folder, r"has no prompts.safetensors beside it")
        (folder / "prompts.json").unlink()
        self.refused(folder, "there is no checkpoint .*: name a folder that `bmip train` or")
        (folder / "prompts.safetensors").write_bytes(whole)
        self.refused(folder, "has no prompts.json beside it, so it is no checkpoint of bmip")

    def test_of_a_training_that_has_not_ended(self, tmp_path: Path) -> None:
        RunFolder(tmp_path, {})
        self.refused(tmp_path, "the training in .* has not ended: give its command again, and it goes on")

    @pytest.mark.parametrize("name", ["model.pth.tar-50", "model-best.pth.tar", "clip.pt"])
    def test_of_the_released_code(self, tmp_path: Path, name: str) -> None:
        torch.save({"state_dict": {"ctx": torch.zeros(4, 8)}, "epoch": 50}, tmp_path / name)
        with pytest.raises(
            CheckpointError, match=rf"{name} is no checkpoint of bmip.*released.*train the method again"
        ):
            from_pretrained(tmp_path / name, tiny_clip())

    @pytest.mark.parametrize("kept", [0, 7, 500, -1])
    def test_cut_short(self, folder: Path, kept: int) -> None:
        for name, told in (
            ("prompts.safetensors", "is damaged or belongs"),
            ("prompts.json", "is damaged|is no check"),
        ):
            whole = (folder / name).read_bytes()
            (folder / name).write_bytes(whole[: len(whole) + kept if kept < 0 else kept].rstrip(b"}\n"))
            self.refused(folder, told)
            (folder / name).write_bytes(whole)

    @pytest.mark.parametrize(
        "content", ["[]", "{}", '{"format": "one"}', f'{{"format": {FORMAT}}}', f'{{"format": {FORMAT}, "spec": 3}}']
    )
    def test_foreign(self, folder: Path, content: str) -> None:
        (folder / "prompts.json").write_text(content)
        self.refused(folder, "is no checkpoint of bmip")

    def test_of_another_save(self, folder: Path) -> None:
        save_file(model(seed=2).trainable(), folder / "prompts.safetensors")
        self.refused(folder, r"belongs to another checkpoint")

    def test_newer(self, folder: Path) -> None:
        self.change(folder, format=FORMAT + 1)
        self.refused(
            folder, rf"has format {FORMAT + 1}, written by another version of bmip; .*: train again, or install the"
        )

    def test_of_an_unknown_method_or_option(self, folder: Path) -> None:
        spec = model().described().spec.to_json()
        self.change(folder, spec={**spec, "method": "bmpi"})
        self.refused(folder, "the method 'bmpi' is none of bmip's")
        self.change(folder, spec=spec, options={"dept": 3})
        self.refused(folder, "has no option 'dept'")

    @pytest.mark.parametrize(
        ("part", "values", "told"),
        [
            ("training", {"nope": 1}, "training has no setting 'nope'"),
            ("training", {"precision": "float99"}, "float99"),
            ("training", {"lr": "fast"}, "'fast'"),
            ("spec", {"data_seed": "x"}, "data_seed is 'x'; it must be a whole number"),
            ("spec", {"init_seed": True}, "init_seed is True; it must be a whole number"),
            ("spec", {"shots": 2.5}, "shots is 2.5; it must be a whole number"),
            ("spec", {"method": 3}, "method is 3; it must be a text"),
            ("options", {"slots": 10**12}, "describes a model that cannot be built here"),
            ("options", {"depth": [2]}, "depth"),
        ],
    )
    def test_of_values_that_no_training_writes(self, tmp_path: Path, part: str, values: dict, told: str) -> None:
        build_model("vpt", {"depth": 3, "slots": 2}, tiny_clip(), DATA.classes, seed=1).save_pretrained(tmp_path)
        file = tmp_path / "prompts.json"
        said = json.loads(file.read_text())
        {"spec": said["spec"], "training": said["spec"]["training"], "options": said["options"]}[part].update(values)
        file.write_text(json.dumps(said))
        self.refused(tmp_path, told)

    def test_of_lists_without_end(self, folder: Path) -> None:
        deep = "[" * 200_000
        (folder / "config.json").write_text(deep)
        self.refused(folder, "config.json is damaged")
        (folder / "prompts.json").write_text(deep)
        self.refused(folder, "prompts.json is damaged")

    def test_of_other_shapes(self, folder: Path) -> None:
        options = dataclasses.asdict(method_config("bmip", {"depth": 2}))
        self.change(folder, options=options)
        self.refused(folder, "unexpected: ")

    def test_a_checkpoint_that_is_not_finite_is_not_written(self, folder: Path) -> None:
        broken = model()
        with torch.no_grad():
            broken.trainable()["prompter.text.1"][0, 0] = float("inf")
        before = (folder / "prompts.safetensors").read_bytes()
        with pytest.raises(ValueError, match=r"prompter.text.1 is not finite: nothing was saved"):
            broken.save_pretrained(folder)
        assert (folder / "prompts.safetensors").read_bytes() == before
        from_pretrained(folder, tiny_clip())
