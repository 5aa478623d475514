import re
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from bmip.data.names import dataset_names
from bmip.experiments.method_facts import method_facts
from bmip.experiments.method_trial import method_trial
from bmip.experiments.presets import (
    SEARCHED,
    choose_preset,
    departures,
    for_any_data,
    presets,
    read_presets,
    write_presets,
)
from bmip.experiments.registry import protocol
from bmip.experiments.results import Row, read_results
from bmip.experiments.search import best_presets
from bmip.methods import combination_names, load_method, method_names
from bmip.prompting import Preset
from bmip.report.published import BENCHMARK
from bmip.run_spec import RunSpec, settings

ROWS = Path(__file__).parents[2] / "docs" / "results" / "embedded_search.jsonl"


@pytest.mark.parametrize("method", method_names())
def test_every_preset_fits_its_method(method: str) -> None:
    for name, preset in presets(method).items():
        spec = method_trial(method, name, backbone="x")
        assert dict(spec.options) == dict(preset.options)
        assert preset.source


def test_the_embedded_backbone_has_presets_of_its_own() -> None:
    searched = read_presets(SEARCHED)
    assert {"bmip", "maple", "ivlp"} <= set(searched)
    assert choose_preset("bmip", None, "embedded") == ("embedded", searched["bmip"])
    assert choose_preset("bmip", None, "ViT-B/16") == ("default", load_method("bmip").presets["default"])
    assert choose_preset("zero-shot", None, "embedded")[0] == "default"
    assert [method_trial("bmip", data=[data]).preset for data in ("digits", "photos")] == ["embedded", "default"]


@pytest.mark.parametrize("name", ["cross-dataset", "domain"])
def test_a_transfer_takes_the_settings_made_for_it(name: str) -> None:
    made_for = protocol(name).preset
    spec = method_trial("maple", backbone="ViT-B/16", made_for=made_for)
    # (multimodal-prompt-learning, vit_b16_c2_ep5_batch4_2ctx_cross_datasets.yaml)
    assert (spec.preset, dict(spec.options)["depth"], dict(spec.training)["epochs"]) == (
        "cross-dataset",
        3,
        2,
    )
    assert method_trial("bmip", backbone="ViT-B/16", made_for=made_for).preset == "default"
    assert method_trial("maple", backbone="embedded", made_for=made_for).preset == "embedded"
    assert method_trial("maple", "released", backbone="ViT-B/16", made_for=made_for).preset == "released"


def test_docs_name_the_methods_with_settings_for_a_protocol() -> None:
    page = (Path(__file__).parents[2] / "docs" / "protocols.md").read_text(encoding="utf-8")
    named = {
        "cross-dataset": page.partition("of a method that has one (")[2].partition(")")[0],
        "few-shot": page.partition("Few-shot settings of\n")[2].partition(" depend")[0].replace(" and ", ", "),
    }
    for preset, words in named.items():
        mentioned = {name.lower().replace(" ", "").replace("mmrl++", "mmrlpp") for name in re.split(r",\s", words)}
        assert mentioned == {m for m in (*method_names(), *combination_names()) if preset in presets(m)}


@cache
def searched_rows() -> list[Row]:
    return read_results([ROWS])


def test_searched_settings_are_those_that_the_stored_rows_choose() -> None:
    assert read_presets(SEARCHED) == best_presets(searched_rows())


@pytest.mark.parametrize("method", read_presets(SEARCHED))
def test_every_method_was_searched_with_the_same_budget(method: str) -> None:
    """Four rates, more where the best is at the edge; then twice the epochs and one option, at the best rate."""
    tried = [row for row in searched_rows() if row.trial.run.method == method]
    points = {row.trial.run.variant() for row in tried}
    plain = dict(presets(method)["default"].options)
    rates = {dict(point.training)["lr"] for point in points}
    first = {p for p in points if dict(p.training)["epochs"] == 5 and dict(p.options) == plain}
    assert {0.0025, 0.01, 0.04, 0.16} <= rates == {dict(point.training)["lr"] for point in first}
    best_rate = best_presets(row for row in tried if row.trial.run.variant() in first)[method].training["lr"]
    assert min(rates) < best_rate < max(rates)
    longer, other = sorted(points - first, key=lambda point: -dict(point.training)["epochs"])
    assert {dict(point.training)["lr"] for point in (longer, other)} == {best_rate}
    assert (dict(longer.training)["epochs"], dict(longer.options)) == (10, plain)
    assert len(dict(other.options).items() ^ plain.items()) <= 2 and dict(other.options) != plain
    for point in points:
        on = {(row.trial.run.data, row.trial.run.data_seed) for row in tried if row.trial.run.variant() == point}
        assert on == set(product(("animals", "food", "textures", "digits"), (1, 2, 3)))


def test_written_presets_come_back(tmp_path: Path) -> None:
    written = {
        "bmip": Preset('a "search"\nwith \\', {"depth": 3, "context": "a photo"}, {"lr": 1e-05}),
        "maple": Preset("x", {"share": True}),
    }
    write_presets(tmp_path / "p.toml", written)
    assert read_presets(tmp_path / "p.toml") == written
    assert "\n\n[bmip]\nsource = " in (tmp_path / "p.toml").read_text()
    assert choose_preset("bmip", str(tmp_path / "p.toml"), "embedded")[1] == written["bmip"]


def test_faults_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="did you mean 'released'"):
        choose_preset("bmip", "realesed", "embedded")
    (tmp_path / "p.toml").write_text("[bmip\n")
    with pytest.raises(ValueError, match="cannot be read"):
        read_presets(tmp_path / "p.toml")
    (tmp_path / "p.toml").write_text('[bmip]\nsource = "x"\nlr = 1\n')
    with pytest.raises(ValueError, match=r"\[bmip\] must hold a source"):
        read_presets(tmp_path / "p.toml")


def test_one_method_one_name() -> None:
    assert method_facts("zero-shot") == method_facts("zero_shot")
    with pytest.raises(ValueError, match="no method"):
        method_facts("zero")


def test_what_departs_from_a_preset(tmp_path: Path) -> None:
    def departed(preset: str, **given) -> dict:
        return departures(method_trial("maple", preset, backbone="x", **given))

    assert departed("default") == departed("released") == {}
    assert departed("default", training={"epochs": 1}, options={"depth": 2}) == {"epochs": 1, "depth": 2}
    as_it_is = dict(method_trial("maple", "default", backbone="x").training)
    assert departed("default", training={**as_it_is, "precision": "float32"}) == {}, "said, but nothing else"
    file = tmp_path / "own.toml"
    write_presets(file, {"maple": Preset("mine", {"depth": 2}, {"epochs": 3})})
    assert departed(str(file)) == {}
    assert departed(str(file), training={"epochs": 1}) == {"epochs": 1}
    gone = RunSpec(method="maple", preset="gone.toml", options=settings(depth=2))
    assert departures(gone) == {"depth": 2}


def test_a_preset_may_have_settings_for_one_data_set_alone() -> None:
    """As scripts/mmrl of the released code have them: w, and a wider space on EuroSAT."""

    def options(data: str, **given) -> dict:
        return dict(method_trial("mmrl", "released", backbone="x", trained_on=data, options=given).options)

    general = {"trained_classes_only": True}
    assert options("digits") == options("") == general
    assert options("eurosat") == {**general, "nearness": 0.01, "width": 2048}
    assert options("eurosat", nearness=1.0) == {**general, "nearness": 1.0, "width": 2048}, "what is asked for wins"
    assert dict(method_trial("mmrl", backbone="x", trained_on="eurosat").options) == {}, "the default has one for all"
    imagenet = dict(method_trial("mmrl", "released", backbone="x", trained_on="imagenet").training)
    assert (imagenet["epochs"], imagenet["batch"], imagenet["lr"]) == (5, 32, 0.001)


@pytest.mark.parametrize(("data", "rate", "epochs"), [("imagenet", 0.001, 5), ("dtd", 0.002, 100)])
def test_mmrlpp_with_few_shots_takes_another_file_of_settings_on_imagenet(data: str, rate: float, epochs: int) -> None:
    chosen = dict(method_trial("mmrlpp", "few-shot", backbone="x", trained_on=data).training)
    assert (chosen["lr"], chosen["epochs"], chosen["batch"]) == (rate, epochs, 32)


def test_prograd_leaves_out_less_on_three_data_sets_with_many_shots() -> None:
    """Its README: lambda is 0.8 for Flowers102, DTD and EuroSAT with 8 or 16 shots, otherwise 1."""

    def corrections(preset: str) -> dict[str, float]:
        asked = {data: method_trial("prograd", preset, backbone="x", trained_on=data) for data in BENCHMARK}
        return {
            data: dict(run.options)["correction"] for data, run in asked.items() if "correction" in dict(run.options)
        }

    assert corrections("few-shot") == dict.fromkeys(("oxford_flowers", "dtd", "eurosat"), 0.8)
    assert corrections("few-shot-4") == corrections("few-shot-1") == corrections("released") == {}


@pytest.mark.parametrize("method", method_names())
def test_settings_for_one_data_set_are_known_data_sets_and_fit_the_method(method: str) -> None:
    for name, preset in presets(method).items():
        general = method_trial(method, name, backbone="x")
        for data in preset.by_data:
            run = replace(method_trial(method, name, backbone="x", trained_on=data), data=data)
            assert data in dataset_names() and departures(run) == {}
            assert for_any_data(run) == replace(general, data=data)


def test_what_is_asked_for_on_one_data_set_stays() -> None:
    asked = method_trial("mmrl", "released", backbone="x", trained_on="eurosat", options={"nearness": 3.0})
    run = replace(asked, data="eurosat")
    assert departures(run) == {"nearness": 3.0}
    assert dict(for_any_data(run).options) == {"trained_classes_only": True, "nearness": 3.0}
