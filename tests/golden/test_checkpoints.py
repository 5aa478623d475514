"""Checkpoints as the released code writes them become prompts with the golden logits, and go back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from bmip.class_names import ClassNames, words
from bmip.interchange.exporting import export_checkpoint
from bmip.interchange.files import nested, read_released
from bmip.interchange.frozen import released_names
from bmip.interchange.importing import Imported, import_checkpoint
from bmip.methods import build_model, load_method
from bmip.methods.hicropl.nearness import Ensemble
from bmip.prompting.model import PromptedCLIP
from bmip.prompting.released import Released
from bmip.run_spec import RunSpec, settings
from tests.golden import recipe
from tests.golden.test_methods import CASES, close, golden_names

UNTOLD = ("position", "adapter_scale", "written_back")
"""Options of cases that a file does not tell."""

WHOLE = ["ivlp", "maple", "bmip_shareTT"]
"""Cases whose files have the frozen CLIP in them."""


def released(method: str) -> Released:
    found = load_method(method).released
    assert found
    return found


@cache
def frozen() -> dict[str, Tensor]:
    """The recipe's CLIP by the keys of the released models."""
    shapes = {name: tensor.shape for name, tensor in recipe.clip().state_dict().items()}
    found = {}
    for key, ours in released_names(recipe.clip()).items():
        shape = tuple(shapes[ours])
        name = key.replace("image_encoder.", "visual.").removeprefix("text_encoder.")
        found[key] = recipe.weight(name, shape[::-1] if name in ("visual.proj", "text_projection") else shape)
    return found


def state(name: str) -> dict[str, Tensor]:
    """What the released code stores in a case but for CLIP: its parameters, and what it makes of the class names."""
    case, (method, _) = recipe.case(name), CASES[name]
    found = {key: recipe.weight(key, tuple(shape)) for key, shape in case.manifest["param_shapes"].items()}
    if method == "clip_lora":
        return {lora_key(name): tensor for name, tensor in found.items()}
    learner = "adapter_learner" if method == "mma" else "prompt_learner"
    found |= {f"{learner}.token_prefix": torch.ones(7, 1, 512), f"{learner}.token_suffix": torch.ones(7, 60, 512)}
    part = released(method).part
    return {key.removeprefix(f"{part}."): tensor for key, tensor in found.items() if key.startswith(part)}


def lora_key(name: str) -> str:
    """The key in the file of CLIP-LoRA's code for a parameter of its model: layers of the text tower come first."""
    found = re.search(r"resblocks\.(\d+)\.attn\.(.*)", name)
    assert found
    return f"weights.layer_{int(found[1]) + 12 * name.startswith('visual.')}.{found[2]}"


def written(folder: Path, tensors: Mapping[str, Tensor]) -> Path:
    """A file as the released code writes it."""
    content: dict[str, Any] = {"state_dict": dict(tensors), "epoch": 5}
    if "weights.layer_0.q_proj.w_lora_A" in tensors:
        said = {"r": 2, "alpha": 1, "encoder": "both", "params": ["q", "k", "v"], "position": "all"}
        content = {**nested(tensors), "metadata": said}
    torch.save(content, folder / "model.pth.tar-5")
    return folder / "model.pth.tar-5"


def imported(name: str, file: Path, given: Mapping[str, Any] | None = None, *, unnamed: bool = False) -> Imported:
    case, (method, options) = recipe.case(name), CASES[name]
    chosen = load_method(method).presets["released"].options
    untold = {option: value for option, value in options.items() if option in UNTOLD}
    spec = RunSpec(method=method, preset="released", options=settings({**chosen, **untold, **(given or {})}))
    return import_checkpoint(file, spec, recipe.clip(), None if unnamed else case.names, given=given)


def method_of(model: PromptedCLIP) -> tuple[str, Mapping[str, Any]]:
    description = model.described()
    return description.spec.method, description.options


def same(one: PromptedCLIP, other: PromptedCLIP) -> None:
    first, second = one.trainable(), other.trainable()
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("name", CASES)
def test_from_the_released_code_and_back(name: str, tmp_path: Path) -> None:
    """The logits are the golden ones. What is written are the trained tensors, bit by bit, in the shapes they had."""
    case, (method, _), tensors = recipe.case(name), CASES[name], state(name)
    found = imported(name, written(tmp_path, {**tensors, **(frozen() if name in WHOLE else {})}))
    model = found.model
    names = set(golden_names(model, *method_of(model)).values())
    assert len(found.left_out.get("the frozen CLIP", ())) == (len(frozen()) if name in WHOLE else 0)
    unused = set(found.left_out.get("never used by the released code", ()))
    assert unused == set(case.manifest["requires_grad_but_unused"]) - names

    if name != "hicropl_functional":  # the released code does not compute this
        back = read_released(export_checkpoint(model, tmp_path / "out")).tensors
        check_written(back, tensors, case, released(method))
        same(imported(name, written(tmp_path, back)).model, model)

    if isinstance(model.adapter, Ensemble):  # the sentences were a language model's
        model.adapter.described.features = lambda teacher: case.gold["llm_text_features"]  # type: ignore[method-assign]
    logits = model.classifier(model.classes)(recipe.images())
    close(logits, case.gold.get("logits_fusion", case.gold["logits"]), 2e-4)


def check_written(back: Mapping[str, Tensor], tensors: Mapping[str, Tensor], case: recipe.Case, code: Released) -> None:
    whole = {**tensors, **frozen()}
    trained = case.manifest["trained"]
    keys = {lora_key(key) if "lora" in key else key.removeprefix(f"{code.part}.") for key in trained}
    assert keys <= back.keys() <= whole.keys()
    assert all(back[key].shape == whole[key].shape for key in back)
    used = {key: slice(2) if key.endswith("ctx_v") else slice(None) for key in keys}
    assert all(torch.equal(back[key][rows], tensors[key][rows]) for key, rows in used.items())
    strict = {key: tensor for key, tensor in frozen().items() if key != "logit_scale" and code.strict}
    assert back.keys() & frozen().keys() == strict.keys()
    assert all(torch.equal(back[key], tensor) for key, tensor in strict.items())


MORE = {
    "kgcoop": {"bias_vectors": (1, 512), "meta_net.linear1.weight": (16, 64), "meta_net.linear2.bias": (512,)},
    "hicropl": {"prompt_learner.cross_prompts_text.0": (16, 512)},
    "mma": {"token_embedding": (7, 77, 512), "tokenized_prompts": (7, 77)},
}
"""What the released code stores beside parameters that require a gradient, by its source."""


@pytest.mark.parametrize("name", MORE)
def test_what_else_is_stored(name: str, tmp_path: Path) -> None:
    more = {key: torch.ones(shape) for key, shape in MORE[name].items()}
    found = imported(name, written(tmp_path, {**state(name), **more}))
    part = released(CASES[name][0]).part
    left_out = {key.removeprefix(f"{part}.") for keys in found.left_out.values() for key in keys}
    assert left_out - state(name).keys() == more.keys()


def test_the_teacher_of_coprompt(tmp_path: Path) -> None:
    """Its code stores a second CLIP whole, with OpenAI's names."""
    clip = recipe.clip()
    teacher = {
        "model_distill.logit_scale": clip.logit_scale,
        "model_distill.visual.proj": recipe.weight("visual.proj", (128, 64)),
        "model_distill.text_projection": recipe.weight("text_projection", (512, 64)),
        "model_distill.token_embedding.weight": clip.text.token_embedding.weight,
        "model_distill.ln_final.bias": clip.text.ln_final.bias,
    }
    found = imported("coprompt", written(tmp_path, {**state("coprompt"), **teacher}))
    assert set(found.left_out["the frozen CLIP"]) == teacher.keys()


def with_words(name: str, scale: float = 1.0) -> dict[str, Tensor]:
    """The case's file with the embeddings of the words behind the prompt tokens, as the released code stores them."""
    case, tensors = recipe.case(name), state(name)
    slots = next(tensor.shape[-2] for key, tensor in tensors.items() if key.endswith("ctx"))
    rows = [ids + [0] * (77 - len(ids)) for ids in case.manifest["extra"]["token_ids"]]
    embedded = recipe.clip().text.token_embedding.weight[torch.tensor(rows)][:, 1 + slots :]
    key = next(key for key in tensors if key.endswith("token_suffix"))
    return {**tensors, key: (scale * embedded).half()}


@pytest.mark.parametrize("name", ["coop_ctxinit", "coop_ctx16_csc", "maple", "tcp"])
def test_names_of_the_classes_from_the_file(name: str, tmp_path: Path) -> None:
    """Behind MaPLe's two prompt tokens stand the words "of a" as well, which are not part of a name."""
    case = recipe.case(name)
    model = imported(name, written(tmp_path, with_words(name, 1.001)), unnamed=True).model
    encode = recipe.clip().tokenizer.encode
    assert [encode(found) for found in model.classes.names] == [encode(words(own)) for own in case.names]
    close(model.classifier(model.classes)(recipe.images()), case.gold["logits"], 2e-4)


def test_words_that_do_not_fit(tmp_path: Path) -> None:
    tensors = with_words("maple")
    told = refused("maple", tmp_path, tensors, {"context": "an image of one"}, unnamed=True)
    assert "behind its prompt tokens stands 'of a " in told and "it would be 'of one name .'" in told
    assert "holds no embeddings of words" in refused("maple", tmp_path, state("maple"), unnamed=True)
    tensors.pop("prompt_learner.token_suffix")
    assert "give --classes or --classes-file" in refused("maple", tmp_path, tensors, unnamed=True)
    odd = {**tensors, "prompt_learner.token_suffix": torch.ones(7, 60, 3)}
    assert "(7, 60, 3); (classes, tokens, 512) is needed" in refused("maple", tmp_path, odd, unnamed=True)


def test_half_precision_and_the_teacher(tmp_path: Path) -> None:
    """As PromptSRC's code stores: in half precision, with a second image tower, whose average over epochs drifted."""
    tensors = {key: tensor.half() for key, tensor in {**state("promptsrc_bmip"), **frozen()}.items()}
    teacher = {key: tensor for key, tensor in tensors.items() if key.startswith("image_encoder.") and key in frozen()}
    tensors |= {f"prompt_learner.ZS_{key}": tensor * 1.0007 for key, tensor in teacher.items()}
    found = imported("promptsrc_bmip", written(tmp_path, tensors))
    assert len(found.left_out["the frozen CLIP"]) == len(frozen()) + len(teacher)
    assert {tensor.dtype for tensor in found.model.trainable().values()} == {torch.float32}


def test_what_was_imported_is_told(tmp_path: Path) -> None:
    model = imported("maple_depth3", written(tmp_path, state("maple_depth3"))).model
    description = model.described()
    assert (description.options["depth"], description.options["slots"]) == (3, 2)
    assert dict(description.spec.options)["depth"] == 3
    assert re.fullmatch("model.pth.tar-5, SHA-256 [0-9a-f]{64}", description.imported)


def refused(
    name: str,
    tmp_path: Path,
    tensors: Mapping[str, Tensor],
    given: Mapping[str, Any] | None = None,
    *,
    unnamed: bool = False,
) -> str:
    with pytest.raises(ValueError) as error:
        imported(name, written(tmp_path, tensors), given, unnamed=unnamed)
    return str(error.value)


def test_a_checkpoint_of_another_method(tmp_path: Path) -> None:
    told = refused("bmip_shareTT", tmp_path, state("maple"))
    assert "model.pth.tar-5, read as a checkpoint of bmip: it has no key prompt_learner.ctx_t; beside" in told
    told = refused("ivlp", tmp_path, {**state("maple"), **frozen()})
    assert "it has no key image_encoder.VPT; beside the frozen CLIP it has prompt_learner.compound_prompt" in told
    told = refused("coop_ctx16_end", tmp_path, state("maple"))
    assert (
        "read as a checkpoint of coop: " in told
        and "unknown: prompt_learner.compound_prompt_projections.0.bias" in told
    )
    told = refused("maple", tmp_path, {"prompt_learner.ctx": torch.ones(2, 512)})
    assert "missing: prompt_learner.proj.bias, prompt_learner.proj.weight" in told


def test_keys_that_do_not_fit(tmp_path: Path) -> None:
    tensors = state("maple")
    assert "unknown: something" in refused("maple", tmp_path, {**tensors, "something": torch.ones(1)})
    odd = {**tensors, "prompt_learner.proj.weight": torch.ones(768, 512)}
    told = refused("maple", tmp_path, odd)
    assert "prompt_learner.proj.weight is (768, 512), (128, 512) is needed" in told
    odd = {**tensors, "prompt_learner.ctx": torch.ones(2)}
    assert "prompt_learner.ctx is (2,); 2 axes are needed" in refused("maple", tmp_path, odd)
    lacking = {key: tensor for key, tensor in tensors.items() if not key.endswith("compound_prompts_text.3")}
    assert "projections.7" in refused("maple", tmp_path, lacking)


def test_another_clip(tmp_path: Path) -> None:
    tensors = {**state("maple"), **frozen()}
    key = "image_encoder.transformer.resblocks.3.attn.in_proj_weight"
    assert "a CLIP with other weights" in refused("maple", tmp_path, {**tensors, key: tensors[key] * 1.05})
    told = refused("maple", tmp_path, {**tensors, "logit_scale": torch.ones(3), key: torch.ones(9, 3)})
    assert f"a CLIP of another size than this one: {key} is (9, 3), (384, 128) is needed" in told


def test_options_that_contradict_the_file(tmp_path: Path) -> None:
    told = refused("maple", tmp_path, state("maple"), {"slots": 3})
    assert "slots is 3, and the file says 2: leave --set slots out" in told


def test_methods_without_released_checkpoints(tmp_path: Path) -> None:
    spec = RunSpec(method="zero_shot")
    with pytest.raises(ValueError, match=r"zero_shot has no released checkpoints; there are those of .*maple"):
        import_checkpoint(written(tmp_path, state("maple")), spec, recipe.clip(), ["cat", "dog"])


def test_prompts_that_the_released_code_would_use_otherwise(tmp_path: Path) -> None:
    """The default mends BMIP's faults; its prompts in the released code would give other answers, without a word."""
    model = build_model("bmip", {}, recipe.clip(), ClassNames(("cat", "dog")), seed=0)
    with pytest.raises(ValueError, match=r"knows gate_input = raw alone, and these prompts have log: .*--preset rel"):
        export_checkpoint(model, tmp_path)
    assert not list(tmp_path.iterdir())
