"""The pictures of the methods, what they are drawn from, and the page that shows them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch

from bmip.experiments.parameter_counts import trainable_parameters
from bmip.experiments.presets import presets
from bmip.methods import combination_names, load_method, method_names
from tools.drawing import file_name, picture
from tools.drawing.anatomy import Anatomy, anatomy

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = DOCS / "images" / "methods"
METHODS = (*method_names(), *combination_names())
HEADS = ("linear_probe", "lp_plus_plus", "tip_adapter")
every_method = pytest.mark.parametrize("method", METHODS)


def options(method: str, preset: str = "default") -> dict[str, Any]:
    """Those of a preset, such as "released", or of "released on eurosat"."""
    name, _, data = preset.partition(" on ")
    return dict(presets(method)[name].on(data).options)


@cache
def drawn(method: str) -> str:
    return picture(method, options(method))


@cache
def looked_at(method: str) -> Anatomy:
    return anatomy(method, options(method))


def made_of(found: Anatomy, tower: str) -> list[set[str]]:
    return [set(entry.made_of) if entry else set() for entry in getattr(found, tower)]


@every_method
def test_the_committed_picture_is_what_is_drawn_today(method: str) -> None:
    assert (PICTURES / file_name(method)).read_text(encoding="utf-8") == drawn(method), (
        "run `python -m tools.drawing docs/images/methods`"
    )


def test_there_are_no_other_pictures() -> None:
    assert {file.name for file in PICTURES.iterdir()} == {file_name(method) for method in METHODS}


@every_method
def test_a_picture_is_whole(method: str) -> None:
    root = ElementTree.fromstring(drawn(method))
    elements = list(root.iter())
    shapes = {element.get("id") for element in elements if element.get("id")}
    assert {element.get("href", "")[1:] for element in elements if element.tag.endswith("use")} <= shapes
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for element in elements:
        assert 0 <= float(element.get("x", 0)) <= width and 0 <= float(element.get("y", 0)) <= height
    styles = next(element.text or "" for element in elements if element.tag.endswith("style"))
    used = {kind for element in elements for kind in element.get("class", "").split()}
    assert used - {"start"} <= set(re.findall(r"\.([a-z-]+)", styles))
    assert len(drawn(method)) < 20_000


def test_where_prompts_enter() -> None:
    """(text layers, image layers) of every method, as its paper has them."""
    reach = {method: (len(looked_at(method).text), len(looked_at(method).image)) for method in METHODS}
    assert reach == {
        "zero_shot": (0, 0),
        "coop": (1, 0),
        "cocoop": (1, 0),
        "kgcoop": (1, 0),
        "prograd": (1, 0),
        "proda": (1, 0),
        "vpt": (0, 12),
        "deep_language": (12, 0),
        "ivlp": (12, 12),
        **dict.fromkeys(["maple", "bmip", "upt", "promptsrc", "coprompt"], (9, 9)),
        **dict.fromkeys(["bmip+promptsrc", "bmip+coprompt", "bmip+maple"], (9, 9)),
        "cocoop+promptsrc": (1, 0),
        "tcp": (9, 0),
        **dict.fromkeys(["mmrl", "mmrlpp", "hicropl"], (12, 12)),
        **dict.fromkeys(["mma", "clip_lora", "clip_adapter"], (0, 0)),
        **dict.fromkeys(HEADS, (0, 0)),
    }


def test_what_prompts_are_made_of() -> None:
    both = {"text", "image"}
    assert made_of(looked_at("ivlp"), "text") == [{"text"}] * 12
    assert made_of(looked_at("ivlp"), "image") == [{"image"}] * 12
    assert made_of(looked_at("maple"), "text") == made_of(looked_at("maple"), "image") == [{"text"}] * 9
    assert made_of(looked_at("bmip"), "text") == made_of(looked_at("bmip"), "image") == [{"text"}, *[both] * 8]
    assert made_of(looked_at("upt"), "image") == [{"image"}, *[{"joint"}] * 8]
    assert made_of(looked_at("cocoop"), "text") == [{"text", "pixels"}]
    assert made_of(looked_at("tcp"), "text") == [{"text"}, *[set()] * 7, {"names"}]
    one_way = anatomy("bmip", {"direction": "to-text"})
    assert made_of(one_way, "text")[3] == both and made_of(one_way, "image")[3] == {"image"}


def test_released_bmip_prompts_one_text_layer_less_and_looks_at_no_image_alone() -> None:
    released = anatomy("bmip", options("bmip", "released"))
    assert (len(released.text), len(released.image)) == (8, 9)
    assert made_of(released, "image")[8] == {"text", "image"}  # of a text vector that stands in no text layer
    text, image = released.text[1], released.image[1]
    assert text and not text.looks  # the start token's attention is never asked for
    assert image and image.looks and not image.per_image  # its mean over the batch
    assert released.probe is None


def test_maps_are_shared_or_not() -> None:
    def maps(method: str, tower: str) -> set[frozenset[str]]:
        return {entry.maps for entry in getattr(looked_at(method), tower)[1:] if entry}

    assert len(maps("bmip", "text")) == len(maps("bmip", "image")) == 1
    assert len(maps("bmip+maple", "text")) == len(maps("bmip+maple", "image")) == 8
    assert len(maps("maple", "image")) == 8
    assert maps("upt", "text") == maps("upt", "image") and len(maps("upt", "text")) == 8
    assert maps("ivlp", "image") == {frozenset()}


def test_who_looks_at_attention_and_what_differs() -> None:
    for method in METHODS:
        entries = [entry for entry in (*looked_at(method).text, *looked_at(method).image) if entry]
        assert any(entry.looks for entry in entries) == method.startswith("bmip")
        assert any(entry.per_image for entry in looked_at(method).text if entry) == method.startswith("cocoop")
    (own,) = anatomy("coop", {"class_specific": True}).text
    assert own and own.per_class and not own.per_image


def test_sentences() -> None:
    (sentence,) = looked_at("bmip").sentences
    assert sentence.tokens == ("start", 0, 1, "of", "a", "class name", ".", "end")
    probe = looked_at("bmip").probe
    assert probe and probe.tokens == ("start", 0, 1, "of", "a", ".", "end")
    end, front, middle = looked_at("proda").sentences
    assert (end.variants, front.variants, middle.variants) == (16, 8, 8)
    assert front.tokens[1] == middle.tokens[9] == end.tokens[17] == "class name"


def test_what_losses_depend_on() -> None:
    def parts(method: str) -> dict[str, set[str]]:
        return {loss.name: set(loss.depends_on) for loss in looked_at(method).losses}

    assert parts("zero_shot") == {}
    assert parts("maple") == {"cross_entropy": {"logits"}}
    assert parts("promptsrc") == {
        "cross_entropy": {"logits"},
        "text_distance": {"text", "frozen text"},
        "image_distance": {"image", "frozen image"},
        "logit_divergence": {"logits", "frozen text", "frozen image"},
    }
    assert parts("coprompt")["image_consistency"] == {"image", "frozen other view"}
    assert parts("proda")["orthogonality"] == set()
    guides = {loss.name for loss in looked_at("prograd").losses if loss.guides}
    assert guides == {"zero_shot_divergence"}
    read = {method: max(loss.sentences for loss in looked_at(method).losses) for method in ("promptsrc", "kgcoop")}
    assert read == {"promptsrc": 60, "kgcoop": 1}


def test_what_stands_inside_the_towers() -> None:
    mma, lora = looked_at("mma"), looked_at("clip_lora")
    assert mma.shared == mma.beside["text"] == mma.beside["image"] == frozenset(range(4, 12))
    assert lora.weights == {"text": frozenset(range(12)), "image": frozenset(range(12))}
    assert not mma.weights["text"] and not lora.beside["text"] and not looked_at("bmip").weights["text"]
    assert [entry.keeps for entry in looked_at("mmrlpp").text if entry] == [False, *[True] * 6]
    assert not any(entry.keeps for method in ("bmip", "mmrl") for entry in looked_at(method).text if entry)


def test_extras() -> None:
    assert {method for method in METHODS if looked_at(method).read_out} == {"mmrl", "mmrlpp"}
    adapted = {"coprompt", "bmip+coprompt", "clip_adapter", "hicropl"}
    assert {method for method in METHODS if looked_at(method).adapted} == adapted
    assert {method for method in METHODS if looked_at(method).head} == set(HEADS)
    assert {method for method in METHODS if looked_at(method).averaged} == {
        "promptsrc",
        "bmip+promptsrc",
        "cocoop+promptsrc",
    }


def test_looking_leaves_the_global_generator_alone() -> None:
    state = torch.random.get_rng_state()
    anatomy("coprompt", {})
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_method_from_outside_and_every_variant_can_be_drawn() -> None:
    for method, chosen in (
        ("examples.shallow_text", {}),
        ("bmip", {"gate": "concatenation"}),
        ("bmip", {"text_gate": "class", "slots": 6, "image_slots": 3}),
        ("bmip", {"direction": "to-image", "shared_projection_to_image": False}),
        ("coop", {"position": "middle", "class_specific": True}),
        ("zero_shot", {"templates": "7"}),
    ):
        ElementTree.fromstring(picture(method, chosen))


@cache
def page() -> str:
    return (DOCS / "methods.md").read_text(encoding="utf-8")


def section(method: str) -> str:
    found = [part for part in page().split("\n## ")[1:] if f"(images/methods/{file_name(method)})" in part]
    assert len(found) == 1, f"{method} has {len(found)} sections with its picture"
    return found[0]


@every_method
def test_the_page_says_what_each_method_costs(method: str) -> None:
    own = section(method)
    assert all(f"**{part}**" in own for part in ("Loss", "Trainable parameters", "Cost", "Released code"))
    line = next(line for line in own.splitlines() if line.startswith("* **Trainable parameters**, ViT-B/16: "))
    stated = re.findall(r"(?:`([\w -]+)` )?\b(\d[\d,]*\d|0)\b", line.partition("ViT-B/16: ")[2])
    found = {preset or "default": int(count.replace(",", "")) for preset, count in stated}
    assert len(found) == len(stated) and "default" in found
    assert found == {preset: trainable_parameters(method, options(method, preset)) for preset in found}
    once = "class features once per class list" in " ".join(own.split()).lower()
    assert once != any(entry and entry.per_image for entry in looked_at(method).text)


@every_method
def test_the_table_gives_layers_and_trainable_parameters(method: str) -> None:
    title = section(method).splitlines()[0]
    anchor = re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
    (row,) = [line for line in page().splitlines() if line.startswith("|") and f"](#{anchor})" in line]
    _, _, text, image, _, count, _ = (cell.strip() for cell in row.split("|"))
    for tower, shown in (("text", text), ("image", image)):
        entries = getattr(looked_at(method), tower)
        entered = {number for number, entry in enumerate(entries, start=1) if entry}
        assert entered == _numbers(shown.partition(",")[0])
    assert int(count.partition(" ")[0].replace(",", "")) == trainable_parameters(method, options(method))


def _numbers(words: str) -> set[int]:
    """The layers of "-", "1", "6 to 12" or "1 and 9"."""
    runs = [re.findall(r"\d+", run) for run in words.split(" and ")]
    return {number for run in runs if run for number in range(int(run[0]), int(run[-1]) + 1)}


def test_presets_named_on_the_page_exist() -> None:
    for method in METHODS:
        for preset in re.findall(r"`([a-z0-9-]+)` [\d,]+", section(method)):
            assert preset in load_method(method).presets
