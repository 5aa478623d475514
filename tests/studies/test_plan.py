"""Plans are read completely, and what is wrong in one is named with its place."""

from itertools import pairwise
from pathlib import Path

import pytest

from bmip.data.read_config import how_to_set
from bmip.experiments.registry import protocol
from bmip.studies.checks import PlanError
from bmip.studies.expand import expand
from bmip.studies.plan import read_plan

HEAD = '[study]\nname = "a study"\n'
COMPARE = '[[compare]]\nprotocols = ["base-to-novel"]\nmethods = ["zero-shot", "bmip"]\ndata = ["digits"]\n'


@pytest.fixture
def plan(tmp_path: Path):
    def plan(text: str):
        file = tmp_path / "plan.toml"
        file.write_text(text)
        return read_plan(file)

    return plan


def test_a_plan_is_the_cross_product_of_what_it_says(plan) -> None:
    found = plan(
        HEAD + 'trackers = ["tensorboard"]\n[limits]\nminutes = 30\n[defaults]\nseeds = [1, 2]\n'
        "training = { epochs = 3 }\n"
        '[[compare]]\nprotocols = ["base-to-novel", "open-world"]\n'
        'methods = ["zero-shot", "bmip:default", { method = "bmip", options = { depth = 12 }, label = "deep" }]\n'
        'data = ["digits", "caltech101"]\nbackbone = "embedded"\nprecision = ["float32", "bfloat16"]\nshots = [4, 16]\n'
        '[[compare]]\nprotocols = "few-shot"\nmethods = "coop"\ndata = "digits"\nseeds = 7\n'
    )
    planned = expand(found)
    trials = [one.trial for one in planned]
    assert (found.name, found.minutes, found.trackers) == ("a study", 30, ("tensorboard",))
    assert len(trials) == len(set(trials)) == 2 * 3 * 2 * 2 * 2 * 2 + len(protocol("few-shot").shots)
    assert {dict(trial.run.training)["epochs"] for trial in trials} == {3}
    assert {trial.run.data_seed for trial in trials if trial.protocol == "few-shot"} == {7}
    assert {one.label for one in planned if dict(one.trial.run.options).get("depth") == 12} == {"deep"}
    loaded = [(trial.run.backbone, trial.run.precision, trial.run.data) for trial in trials]
    assert len(list(dict.fromkeys(loaded))) == 1 + sum(a != b for a, b in pairwise(loaded))


def test_a_list_of_settings_means_each_of_them(plan) -> None:
    bmip = '{ method = "bmip", options = { depth = [3, 9] }, training = { epochs = [1, 2, 4] } }'
    text = HEAD + COMPARE.replace('"bmip"', bmip) + "training = { lr = [0.1, 0.2], epochs = 5 }\nseeds = [1]\n"
    runs = [one.trial.run for one in expand(plan(text)) if one.trial.run.method == "bmip"]
    found = [(dict(run.options)["depth"], dict(run.training)["lr"], dict(run.training)["epochs"]) for run in runs]
    assert sorted(found) == [(depth, lr, count) for depth in (3, 9) for lr in (0.1, 0.2) for count in (1, 2, 4)]
    labelled = bmip.replace("method", 'label = "deep", method', 1)
    with pytest.raises(PlanError, match="the label 'deep' stands for 12 settings"):
        expand(plan(text.replace(bmip, labelled)))


def test_one_trial_has_one_label(plan) -> None:
    deep = (
        '{ method = "bmip", options = { depth = 3 } }, { method = "bmip", label = "deep", options = { depth = DEPTH } }'
    )
    text = HEAD + COMPARE.replace('"bmip"', deep)
    assert {one.label for one in expand(plan(text.replace("DEPTH", "8")))} == {"", "deep"}
    with pytest.raises(PlanError, match="bmip and deep have the same settings: leave one of them out"):
        expand(plan(text.replace("DEPTH", "3")))


def test_a_section_may_say_otherwise_and_a_preset_goes_to_methods_that_have_it(plan) -> None:
    maple = COMPARE.replace("bmip", "maple")
    found = plan(
        HEAD
        + '[defaults]\nbackbone = "ViT-B/16"\npreset = "released"\nseeds = [1]\n'
        + maple
        + maple.replace("base-to-novel", "cross-dataset").replace('["digits"]', '["imagenet"]')
        + 'preset = "cross-dataset"\n'
    )
    presets = {(one.trial.protocol, one.trial.run.method): one.trial.run.preset for one in expand(found)}
    assert presets["base-to-novel", "maple"] == "released"
    assert presets["cross-dataset", "maple"] == "cross-dataset"
    assert presets["cross-dataset", "zero_shot"] == "default"


def test_variables_of_the_environment_are_replaced(plan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = HEAD + '[defaults]\nroot = "$PICTURES/sets"\n' + COMPARE
    monkeypatch.setenv("PICTURES", str(tmp_path))
    assert plan(text).comparisons[0].read.root == f"{tmp_path}/sets"
    monkeypatch.delenv("PICTURES")
    with pytest.raises(PlanError, match="needs the environment variable PICTURES, which is not set"):
        plan(text)


def _with_depth(value: str) -> str:
    return HEAD + COMPARE.replace('"bmip"', f'{{ method = "bmip", options = {{ depth = {value} }} }}')


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[study", "is no TOML file"),
        (COMPARE, "give the study a name"),
        (HEAD, "compares nothing: give at least one"),
        (HEAD + "[studies]\n" + COMPARE, "has no setting 'studies'"),
        (HEAD + COMPARE + "sedes = [1]\n", r"\[\[compare\]\] number 1 has no setting 'sedes'.*seeds"),
        (HEAD + COMPARE + "seeds = [1.5]\n", "seeds is .1.5.; it must be a list of whole numbers"),
        (HEAD + COMPARE + "seeds = [-1]\n", "no number may be below 0"),
        (HEAD + COMPARE + "seeds = []\n", "number 1: seeds is an empty list: give one at least"),
        (HEAD + COMPARE + "shots = []\n", "number 1: shots is an empty list: give one at least"),
        (HEAD + COMPARE + "base = 2.0\n", "base is 2.0; it must be a share"),
        (HEAD + COMPARE + "training = { lr = -1.0 }\n", "lr is -1"),
        (HEAD + COMPARE + "training = { epoch = 1 }\n", "no setting 'epoch'.*epochs"),
        (HEAD + COMPARE + "skip_bad_images = 1\n", "skip_bad_images is 1; it must be of type bool"),
        (HEAD + COMPARE.replace("base-to-novel", "base-to-old"), "there is no protocol 'base-to-old'.*base-to-novel"),
        (HEAD + COMPARE.replace("zero-shot", "zero-shoot"), "number 1: .*zero-shoot"),
        (HEAD + COMPARE.replace("digits", "digit"), "'digit' is neither a data set"),
        (HEAD + COMPARE.replace('"bmip"', '{ method = "bmip", options = { dept = 1 } }'), "no option 'dept'.*depth"),
        (_with_depth('"x"'), r"\[\[compare\]\] number 1: the option 'depth' .* is 'x'; it must be a whole number"),
        (_with_depth("2.5"), "'depth' .* is 2.5; it must be a whole number"),
        (_with_depth("true"), "'depth' .* is True; it must be a whole number"),
        (_with_depth("[2, 3.5]"), "'depth' .* is 3.5; it must be a whole number"),
        (HEAD + COMPARE.replace('"bmip"', '{ preset = "x" }'), "give its name, or a table"),
        (HEAD + COMPARE.replace('"bmip"', "3"), "a method is 3"),
        (HEAD + COMPARE + "[limits]\nminutes = 0\n", "minutes is 0; it must be a number above 0"),
        (HEAD + COMPARE + "training = { lr = [] }\n", "lr is an empty list"),
        (HEAD + COMPARE + "training = { lr = [0.1, -1.0] }\n", "lr is -1"),
        (HEAD + 'trackers = ["tensorbord"]\n' + COMPARE, "no tracker 'tensorbord'.*tensorboard"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(plan, text: str, told: str) -> None:
    with pytest.raises(PlanError, match=told):
        plan(text)


def test_a_method_s_own_precision_wins(plan) -> None:
    own = COMPARE.replace('"bmip"', '{ method = "coop", training = { precision = "float16" } }')
    found = {
        one.trial.run.method: one.trial.run.precision for one in expand(plan(HEAD + own + 'precision = "bfloat16"\n'))
    }
    assert found["coop"] == "float16" and set(found.values()) == {"float16", "bfloat16"}


def test_what_does_not_fit_together_is_named(plan, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"\[\[compare\]\] number 1: the method 'bmip' has no preset 'nosuch'"):
        expand(plan(HEAD + COMPARE.replace('"bmip"', '"bmip:nosuch"')))
    with pytest.raises(
        PlanError, match=r"number 1: the method 'zero.shot' has no preset 'relased': (did you mean|it has)"
    ):
        expand(plan(HEAD + COMPARE + 'preset = "relased"\n'))
    (tmp_path / "settings.toml").write_text("no toml")
    with pytest.raises(PlanError, match=r"number 1: .*settings\.toml"):
        expand(plan(HEAD + COMPARE + f'preset = "{tmp_path / "settings.toml"}"\n'))
    with pytest.raises(PlanError, match="number 1: few-shot has no base classes: leave base out"):
        expand(plan(HEAD + COMPARE.replace("base-to-novel", "few-shot") + "base = 0.25\n"))
    with pytest.raises(PlanError, match="names the roots /a and /b: all its data sets must lie below one"):
        expand(plan(HEAD + COMPARE + 'root = "/a"\n' + COMPARE + 'root = "/b"\n'))
    with pytest.raises(PlanError, match="number 1: few-shot has no targets: leave them out"):
        expand(plan(HEAD + COMPARE.replace("base-to-novel", "few-shot") + 'targets = ["caltech101"]\n'))


@pytest.mark.parametrize(("name", "value"), [("root", "DIR"), ("label_column", "NAME"), ("skip_bad_images", "")])
def test_what_messages_name_is_a_setting_of_a_plan(plan, name: str, value: str) -> None:
    told = how_to_set(name, value).partition(", in a plan ")[2]
    (found,) = plan(HEAD + COMPARE + told).comparisons
    assert getattr(found.read, name) == (value or True)
