"""What each protocol trains on and judges, on photos and a small backbone, against plain forward passes."""

import csv
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from bmip.class_names import ClassNames
from bmip.data.dataset import DataError, Dataset, Split, split_hash
from bmip.data.names import dataset_names, embedded_names
from bmip.data.read_config import ReadConfig
from bmip.data.sampling import sample_few_shot, split_base_novel
from bmip.data.shots import write_shots
from bmip.data.sources.folder import SPLIT_FILE
from bmip.data.transforms import centre_square, normalise
from bmip.evaluation.evaluate import evaluate_logits
from bmip.evaluation.prediction_files import read_predictions
from bmip.experiments import evaluated_parts, execute
from bmip.experiments.default_data import EMBEDDED, SHIFTS, SOURCE, TARGETS
from bmip.experiments.evaluated_parts import Joint, Trained
from bmip.experiments.execute import predictions_file
from bmip.experiments.method_trial import method_trial
from bmip.experiments.protocols.ratio_sweep import RATIOS, label_spaces
from bmip.experiments.registry import protocol, protocols
from bmip.experiments.resources import Resources
from bmip.experiments.results import Results, Row, with_all_seeds
from bmip.experiments.runner import run_trials
from bmip.experiments.template_choice import best_template
from bmip.experiments.trial import Trial
from bmip.methods import build_model
from bmip.prompting.model import PromptedCLIP
from bmip.run_spec import RunSpec, settings
from bmip.testing import tiny_clip, tiny_dataset
from bmip.training.checkpoint import from_pretrained
from tests.experiments.making import a_trial, replaced
from tests.experiments.test_runner import TRAINING, Seen
from tests.small import photo_folder


class Work:
    """Runs protocols in one folder."""

    def __init__(self, folder: Path, backbone: Path) -> None:
        self.folder = folder
        self.resources = Resources(device="cpu")
        self.read = ReadConfig(cache=str(folder / "cache"))
        given = {"shots": 2, "backbone": str(backbone), "training": TRAINING, "read": self.read}
        self.methods = {
            "zero-shot": method_trial("zero-shot", **given),
            "maple": method_trial("maple", options={"depth": 2}, **given),
        }
        self.seen = Seen()

    def trials(self, name: str, data: Path, methods: tuple[str, ...] = ("maple",), seeds=(1,), **given) -> list[Trial]:
        chosen = [self.methods[method] for method in methods]
        return list(protocol(name).trials([str(data)], chosen, seeds, **given))

    def run(self, trials: list[Trial]) -> list[Row]:
        self.seen = Seen()
        store = Results(self.folder / "results.jsonl")
        return run_trials(trials, store, runs=self.folder, resources=self.resources, listener=self.seen)

    def logits(self, trial: Trial, dataset: Dataset) -> tuple[torch.Tensor, torch.Tensor]:
        """Of the trained model over all names, image by image, with labels."""
        clip = self.resources.clip_for(trial.run)
        model = from_pretrained(self.folder / trial.run.folder, clip)
        size, mean, std = clip.config.image_size, clip.config.mean, clip.config.std
        images = [centre_square(dataset.test.images[index], size) for index in range(len(dataset.test))]
        with torch.no_grad():
            logits = torch.cat([model(normalise(image[None], mean, std), dataset.classes) for image in images])
        return logits, torch.tensor(dataset.test.labels)


@pytest.fixture
def work(tmp_path: Path, backbone: Path) -> Work:
    return Work(tmp_path, backbone)


@pytest.fixture(scope="session")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of which one class is new."""
    return photo_folder(tmp_path_factory.mktemp("others") / "others", images=8, classes=("red", "blue", "grey"))


def test_open_world_uses_the_training_of_base_to_novel(work: Work, photos: Path) -> None:
    (halves,) = work.run(work.trials("base-to-novel", photos))
    assert work.seen.ticks > 0
    trials = work.trials("open-world", photos)
    (row,) = work.run(trials)
    assert work.seen.ticks == 0, "nothing is trained again"
    assert [row.counts[half] for half in ("base", "novel")] == [halves.counts[half] for half in ("base", "novel")]

    whole = work.resources.dataset(str(photos), work.read)
    logits, labels = work.logits(trials[0], whole)
    right, base = logits.argmax(-1) == labels, labels < 2
    assert row.counts["joint"] == (int(right.sum()), len(labels))
    assert row.counts["base_joint"] == (int(right[base].sum()), int(base.sum()))
    assert row.counts["novel_joint"] == (int(right[~base].sum()), int((~base).sum()))
    score = logits[:, :2].softmax(-1).max(-1).values
    assert row.scores["auroc"] == pytest.approx(100 * reference.roc_auc_score(base, score), abs=1e-3)
    kept = read_predictions(work.folder / predictions_file(trials[0], "joint"))
    assert kept.predicted.tolist() == logits.argmax(-1).tolist()
    assert kept.labels.tolist() == labels.tolist()
    assert kept.images == tuple(whole.test.images.name(index) for index in range(len(labels)))
    assert kept.probability.tolist() == pytest.approx(logits.softmax(-1).max(-1).values.tolist(), abs=1e-4)
    assert kept.rank.tolist() == [int((one > one[label]).sum()) for one, label in zip(logits, labels, strict=True)]
    assert set(row.scores) == {"auroc", "fpr95", "openworld_auc"}


def test_base_to_novel_uses_the_training_of_open_world(work: Work, photos: Path) -> None:
    work.run(work.trials("open-world", photos))
    assert work.seen.ticks > 0
    work.run(work.trials("base-to-novel", photos))
    assert work.seen.ticks == 0
    (folder,) = work.folder.glob("*/maple-base-*")
    assert json.loads((folder / "config.json").read_text())["spec"]["classes"] == "base"


def test_seconds_count_the_training_that_another_trial_made(work: Work, photos: Path) -> None:
    work.run(work.trials("open-world", photos))
    (metrics,) = work.folder.glob("*/maple-*/metrics.jsonl")
    epochs = [json.loads(line) for line in metrics.read_text().splitlines()]
    metrics.write_text("".join(json.dumps({**epoch, "seconds": 1000.0}) + "\n" for epoch in epochs))
    (row,) = work.run(work.trials("base-to-novel", photos))
    assert 1000 * len(epochs) <= row.training_seconds < 1000 * len(epochs) + 500
    assert 0 < row.evaluation_seconds < 500
    assert row.seconds == row.training_seconds + row.evaluation_seconds


def test_a_row_says_what_it_took(work: Work, photos: Path) -> None:
    """Both rows share a training; the one of open-world evaluates other images than those that training ends with."""
    began = datetime.now(UTC).replace(microsecond=0)
    halves, joint = work.run([*work.trials("base-to-novel", photos), *work.trials("open-world", photos)])
    made = datetime.fromisoformat(halves.time), datetime.fromisoformat(joint.time)
    assert began <= made[0] <= made[1] <= datetime.now(UTC)
    assert halves.training_seconds == joint.training_seconds > 0
    assert min(halves.evaluation_seconds, joint.evaluation_seconds) > 0
    weights = sum(tensor.numel() * 4 for tensor in work.resources.clip_for(halves.trial.run).state_dict().values())
    for row in (halves, joint):
        assert row.peak_memory is None or row.peak_memory > weights
        assert row.peak_gpu_memory is None, "there is no GPU"
    (untrained,) = work.run(work.trials("base-to-novel", photos, ("zero-shot",)))
    assert (untrained.training_seconds, untrained.draw) == (0, "") and untrained.evaluation_seconds > 0


def test_protocols_of_one_training_classify_the_same_images_once(
    work: Work, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def counting(model: PromptedCLIP, split: Split, classes: ClassNames) -> tuple[torch.Tensor, torch.Tensor]:
        asked.append(len(split))
        return evaluate_logits(model, split, classes)

    monkeypatch.setattr(evaluated_parts, "evaluate_logits", counting)
    trials = [*work.trials("open-world", photos), *work.trials("ratio-sweep", photos)]
    together = work.run(trials)
    whole = len(work.resources.dataset(str(photos), work.read).test)
    assert asked == [whole]
    (work.folder / "results.jsonl").unlink()
    alone = [row for trial in reversed(trials) for row in work.run([trial])]
    assert asked == [whole] * 3
    assert [row.counts for row in reversed(alone)] == [row.counts for row in together]


def test_an_evaluation_counts_in_one_row_alone(
    work: Work, photos: Path, others: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both protocols ask for the test images that training has evaluated at its end."""
    real = execute.train_model
    monkeypatch.setattr(execute, "train_model", lambda *given, **named: replace(real(*given, **named), evaluation=1e6))
    rows = work.run([*work.trials("few-shot", photos), *work.trials("domain", photos, targets=[str(others)])])
    assert [row.trial.target for row in rows] == ["", "", str(others)]
    assert [row.evaluation_seconds > 1e5 for row in rows] == [True, False, False]


def test_a_row_names_the_draw(work: Work, photos: Path, tmp_path: Path) -> None:
    (row,) = work.run(work.trials("base-to-novel", photos))
    run = row.trial.run
    dataset = work.resources.dataset(str(photos), work.read)
    write_shots(sample_few_shot(dataset, run.shots, run.data_seed), tmp_path / "draw.jsonl")
    assert row.draw == hashlib.sha256((tmp_path / "draw.jsonl").read_bytes()).hexdigest()
    (whole,) = work.run([replaced(row.trial, shots=0)])
    assert whole.draw == "", "all images are trained on"


def test_one_training_serves_few_shot_and_all_targets(work: Work, photos: Path, others: Path) -> None:
    trials = work.trials("cross-dataset", photos, targets=[str(others)])
    rows = work.run(trials)
    assert work.seen.ticks > 0
    assert [row.trial.target for row in rows] == ["", str(others)]
    assert len(list(work.folder.glob("*/maple-all-*"))) == 1
    (alone,) = work.run(work.trials("few-shot", photos))
    assert work.seen.ticks == 0
    assert alone.counts == rows[0].counts

    target = work.resources.dataset(str(others), work.read)
    logits, labels = work.logits(trials[1], target)
    assert rows[1].counts["all"] == (int((logits.argmax(-1) == labels).sum()), len(labels))
    source, shift = (split_hash(work.resources.dataset(str(data), work.read)) for data in (photos, others))
    assert [(row.split, row.target_split) for row in rows] == [(source, ""), (source, shift)]
    work.run(trials)
    assert work.seen.skipped == [True, True]


def test_a_target_that_has_changed_is_judged_again(work: Work, photos: Path, tmp_path: Path) -> None:
    target = photo_folder(tmp_path / "target", images=6, classes=("red", "blue"))
    trials = work.trials("cross-dataset", photos, targets=[str(target)])
    work.run(trials)
    photo_folder(target, images=7, classes=("green",))
    (target / SPLIT_FILE).unlink()
    work.resources = Resources(device="cpu")
    work.run(trials)
    assert (work.seen.skipped, work.seen.ticks) == ([True, False], 0)


def check_scores(found: Row, prefix: str, labels: list[int], predicted: list[int], probability: np.ndarray) -> None:
    """Against scikit-learn, and the calibration error against its formula."""
    scores = {name: found.scores[f"{prefix}{name}"] for name in ("macro_accuracy", "macro_f1", "calibration_error")}
    assert scores["macro_accuracy"] == pytest.approx(100 * reference.balanced_accuracy_score(labels, predicted))
    f1 = reference.f1_score(labels, predicted, average="macro", zero_division=0)
    assert scores["macro_f1"] == pytest.approx(100 * f1)
    right = np.array(labels) == np.array(predicted)
    bins = np.ceil(probability * 15)
    gaps = [abs((right[bins == bin] - probability[bins == bin]).sum()) for bin in np.unique(bins)]
    assert scores["calibration_error"] == pytest.approx(100 * sum(gaps) / len(labels), abs=1e-3)
    assert found.scores[f"{prefix}top5"] == 100, "there are fewer than five classes"


def test_few_shot_scores(work: Work, photos: Path) -> None:
    trials = work.trials("few-shot", photos)
    (row,) = work.run(trials)
    with (work.folder / trials[0].run.folder / "predictions.csv").open() as file:
        lines = list(csv.DictReader(file))
    labels, predicted = ([int(line[column]) for line in lines] for column in ("label", "predicted"))
    assert row.counts["all"] == (sum(a == b for a, b in zip(labels, predicted, strict=True)), len(labels))
    check_scores(row, "", labels, predicted, np.array([float(line["probability"]) for line in lines]))


def test_scores_of_base_and_novel_classes(work: Work, photos: Path) -> None:
    (trial,) = trials = work.trials("base-to-novel", photos)
    (row,) = work.run(trials)
    for part, dataset in work.resources.parts(trial).evaluated.items():
        logits, labels = work.logits(trial, dataset)
        probability, predicted = logits.softmax(-1).max(-1)
        check_scores(row, f"{part}_", labels.tolist(), predicted.tolist(), probability.numpy())


def test_an_untrained_method_is_judged_once_for_all_shots(work: Work, photos: Path) -> None:
    first, *_ = trials = work.trials("few-shot", photos, ("zero-shot",), seeds=(1, 2))
    rows = work.run([*trials, *(replaced(trial, shots=1) for trial in trials)])
    assert [row.seconds for row in rows[1:]] == [0, 0, 0]
    assert {row.counts["all"] for row in rows} == {rows[0].counts["all"]}
    assert rows[0].trial == first


def test_an_untrained_method_that_is_judged_elsewhere_leaves_its_predictions_alone(
    work: Work, photos: Path, others: Path
) -> None:
    trials = work.trials("cross-dataset", photos, ("zero-shot",), targets=[str(others)])
    work.run(trials[1:])
    (folder,) = work.folder.glob("*/zero_shot-*")
    assert [entry.name for entry in folder.iterdir()] == ["evaluated"]


def test_ratio_sweep_goes_from_base_to_novel_accuracy(work: Work, photos: Path) -> None:
    (halves,) = work.run(work.trials("base-to-novel", photos))
    trials = work.trials("ratio-sweep", photos, ("zero-shot", "maple"), seeds=(1, 2))
    rows = work.run(trials)
    maple = rows[1]
    assert maple.trial.run.method == "maple" and maple.trial.run.data_seed == 1
    assert list(maple.counts) == [str(ratio) for ratio in RATIOS]
    assert (maple.counts["100"], maple.counts["0"]) == (halves.counts["base"], halves.counts["novel"])

    logits, labels = work.logits(maple.trial, work.resources.dataset(str(photos), work.read))
    chosen = label_spaces(2, 2, 1)[50]
    asked = [index for index, label in enumerate(labels.tolist()) if label in chosen]
    right = [max(chosen, key=lambda c, row=logits[index]: row[c].item()) == labels[index] for index in asked]
    assert maple.counts["50"] == (sum(right), len(asked))
    untrained = [row for row in rows if row.trainable == 0]
    assert all(row.seconds > 0 for row in untrained), "label spaces are drawn for each seed"


@given(st.integers(2, 30), st.integers(0, 1), st.integers(0, 9))
def test_label_spaces(base: int, fewer: int, seed: int) -> None:
    novel = base - fewer
    spaces = label_spaces(base, novel, seed)
    assert spaces == label_spaces(base, novel, seed)
    assert spaces[100] == tuple(range(base))
    assert spaces[0] == tuple(range(base, base + novel))
    for ratio, chosen in spaces.items():
        kept = [label for label in chosen if label < base]
        assert len(kept) == int(base * ratio / 100 + 1e-9)
        assert len(set(chosen)) == len(chosen) == min(base, len(kept) + novel)
    for more, less in pairwise(RATIOS):
        assert {label for label in spaces[less] if label < base} <= set(spaces[more])


def test_label_spaces_differ_between_seeds() -> None:
    assert len({label_spaces(10, 10, seed)[50] for seed in range(5)}) > 1


TEMPLATES = ("a photo of a {}.", "{}", "grey dog red {} a photo", "a {} dog of a dog")


@pytest.mark.parametrize(("name", "choosing"), [("cross-dataset", "target"), ("domain", "source")])
def test_sentences_are_chosen_where_the_protocol_may_look(name: str, choosing: str, tmp_path: Path) -> None:
    """On the target's validation images; but a shift is not known beforehand."""

    def load(name: str, _: ReadConfig = ReadConfig()) -> Dataset:
        dataset = tiny_dataset()
        assert dataset.val is not None
        val = dataset.val if name == "source" else dataset.val.take(range(8, 12))
        return replace(dataset, name=name, val=val, classes=replace(dataset.classes, templates=TEMPLATES))

    clip = tiny_clip()
    resources = Resources(device="cpu", load=load, backbone=lambda name: clip)
    trial = a_trial(name, method="zero_shot", data="source", target="target")
    model = build_model("zero-shot", {}, clip, tiny_dataset().classes, seed=0)
    best = {name: best_template(model, load(name)) for name in ("source", "target")}
    assert best["source"] != best["target"]
    (row,) = run_trials([trial], Results(tmp_path / "rows"), runs=tmp_path, resources=resources)
    assert row.template == best[choosing]
    (row,) = run_trials(
        [replaced(trial, read=ReadConfig(template=TEMPLATES[2]))],
        Results(tmp_path / "asked"),
        runs=tmp_path,
        resources=resources,
    )
    assert row.template is None, "the sentence that was asked for is no choice"


def partly(labels: set[int], split: str = "test") -> Resources:
    """Four classes, of which only some have images in one split."""

    def load(name: str, _: ReadConfig = ReadConfig()) -> Dataset:
        dataset = tiny_dataset()
        kept = dataset.splits()[split]
        kept = kept.take([index for index, label in enumerate(kept.labels) if label in labels])
        return replace(dataset, name=name, **{split: kept})

    return Resources(device="cpu", load=load, backbone=lambda name: tiny_clip())


@pytest.mark.parametrize(
    ("name", "split", "labels", "message"),
    [
        (
            "base-to-novel",
            "test",
            {0, 1},
            r"the novel classes \('blue', 'grey'\)",
        ),
        ("open-world", "test", {0, 1}, "the test split of own has no images of the novel classes"),
        ("ratio-sweep", "test", {2, 3}, "the test split of own has no images of the base classes"),
        ("validation", "val", {0}, "the validation split of own has no images of the novel classes"),
        ("few-shot", "test", set(), "the test split of own has no images of its classes"),
        ("domain", "test", set(), "the test split of own has no images of its classes"),
    ],
)
def test_where_there_is_nothing_to_judge_nothing_is_trained(
    name: str, split: str, labels: set[int], message: str, tmp_path: Path
) -> None:
    trial = a_trial(method="zero_shot", data="own", protocol=name)
    with pytest.raises(DataError, match=message):
        run_trials([trial], Results(tmp_path / "rows"), runs=tmp_path, resources=partly(labels, split))
    assert not list(tmp_path.iterdir())


def test_every_label_space_of_every_seed_has_images(tmp_path: Path) -> None:
    labels = {0, 2}
    bad = [seed for seed in range(40) if not labels & set(label_spaces(2, 2, seed)[50])]
    good = [seed for seed in range(40) if seed not in bad]
    trials = [a_trial(method="zero_shot", data="own", protocol="ratio-sweep", data_seed=seed) for seed in range(40)]
    rows = [trials[seed] for seed in good[:2]]
    assert run_trials(rows, Results(tmp_path / "rows"), runs=tmp_path / "runs", resources=partly(labels))
    asked = [trials[seed] for seed in (good[2], bad[0], good[3])]
    store = Results(tmp_path / "none")
    with pytest.raises(DataError, match=f"90 % of the base classes that seed {bad[0]} draws \\('green', 'grey'\\)"):
        run_trials(asked, store, runs=tmp_path / "runs", resources=partly(labels))
    assert not store.path.exists()


def test_a_shift_shows_no_new_class(work: Work, photos: Path, others: Path, tmp_path: Path) -> None:
    (_, trial) = work.trials("domain", photos, targets=[str(others)])
    work.resources.parts(trial)
    backwards = replace(replaced(trial, data=str(others)), target=str(photos))
    with pytest.raises(
        DataError, match=r"is no shifted .*others, which has no class 'green': evaluate it with cross-dataset"
    ):
        work.resources.parts(backwards)


@pytest.mark.parametrize(
    ("method", "options"), [("coop", {"class_specific": True, "slots": 2}), ("linear_probe", {}), ("tip_adapter", {})]
)
def test_what_is_learned_for_single_classes_is_for_protocols_without_new_ones(
    method: str, options: dict, work: Work, photos: Path, others: Path
) -> None:
    maple, asked = work.methods["maple"], method.replace("_", "-")
    work.methods[method] = replace(maple, method=method, options=settings(options))
    targets = {"cross-dataset": [str(others)], "domain": [str(others)]}
    for name in ("base-to-novel", "open-world", "ratio-sweep", "validation", "cross-dataset", "domain"):
        with pytest.raises(ValueError, match=f"{name} is not for {asked} as it is set: .* knows no others"):
            work.run(work.trials(name, photos, ("maple", method), targets=targets.get(name)))
        assert work.seen.ticks == 0, "not even the method that fits is trained"
    (row,) = work.run(work.trials("few-shot", photos, (method,)))
    assert row.trainable > 0


def test_open_world_refuses_a_rule_that_tells_known_classes(work: Work, photos: Path) -> None:
    maple = work.methods["maple"]
    options = {"top": 1, "slots": 1}
    released = settings({**options, "trained_classes_only": True})
    work.methods["mmrl"] = replace(maple, method="mmrl", options=released)
    with pytest.raises(ValueError, match=r"open-world is not for mmrl as it is set: .* set trained_classes_only=false"):
        work.run(work.trials("open-world", photos, ("mmrl",)))
    (row,) = work.run(work.trials("base-to-novel", photos, ("mmrl",)))
    assert row.trainable > 0
    work.methods["mmrl"] = replace(maple, method="mmrl", options=settings(options))
    (row,) = work.run(work.trials("open-world", photos, ("mmrl",)))
    assert "openworld_auc" in row.scores


def test_logits_among_fewer_classes(work: Work, photos: Path) -> None:
    """Columns are taken where classes do not meet; a method that mixes over classes is asked again."""
    trials = work.trials("open-world", photos)
    work.run(trials)
    clip = work.resources.clip_for(trials[0].run)
    model = from_pretrained(work.folder / trials[0].run.folder, clip)
    parts = work.resources.parts(trials[0])
    joint = Joint.of(Trained(trials[0], model, parts), "joint")
    columns = joint.among([1, 3])
    assert torch.equal(columns, joint.logits[:, [1, 3]])
    model.prompter.reads_classes = True
    torch.testing.assert_close(joint.among([1, 3]), columns)


def test_the_joint_label_space_holds_base_then_novel(work: Work, photos: Path) -> None:
    (trial,) = work.trials("open-world", photos)
    parts = work.resources.parts(trial)
    base, novel = split_base_novel(work.resources.dataset(str(photos), work.read))
    joint = parts.evaluated["joint"]
    assert joint.classes.names == base.classes.names + novel.classes.names
    assert parts.train.classes == base.classes
    assert len(joint.test) == len(base.test) + len(novel.test)


@pytest.mark.parametrize("name", ["base-to-novel", "open-world", "validation"])
def test_base_classes_by_name(work: Work, photos: Path, name: str) -> None:
    whole = work.resources.dataset(str(photos), work.read)
    first, *_, last = whole.classes.names
    (trial,) = (replaced(one, base=(last, first)) for one in work.trials(name, photos))
    parts = work.resources.parts(trial)
    assert parts.train.classes.names == (first, last)
    others = set(whole.classes.names) - {first, last}
    if name == "open-world":
        joint = parts.evaluated["joint"]
        assert joint.classes.names[:2] == (first, last) and set(joint.classes.names[2:]) == others
        named = [joint.classes.names[label] for label in joint.test.labels]
        assert named == [whole.classes.names[label] for label in whole.test.labels]
    else:
        assert set(parts.evaluated["novel"].classes.names) == others


def test_base_classes_where_there_are_none() -> None:
    with pytest.raises(ValueError, match="few-shot knows no base and novel classes"):
        list(protocol("few-shot").trials(["x"], [RunSpec(method="bmip", base=0.3)], [1]))


@pytest.mark.parametrize(
    ("name", "data", "targets", "message"),
    [
        ("base-to-novel", "x", ["y"], "evaluates the data set that it trains on: leave out the targets y"),
        ("cross-dataset", "x", ["y", "x"], "'x' is trained on and evaluated anyway"),
        ("cross-dataset", "x", None, "cross-dataset from 'x' needs targets: .*known for things, imagenet"),
    ],
)
def test_targets_that_make_no_sense(name: str, data: str, targets: list[str] | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(protocol(name).trials([data], [RunSpec(method="bmip")], [1], targets=targets))


def test_defaults_are_data_sets() -> None:
    for found in protocols():
        assert set(found.data) <= set(dataset_names())
    targets, shifts = set(TARGETS[SOURCE]), set(SHIFTS[SOURCE])
    assert targets | shifts | {SOURCE} == set(embedded_names()) and not targets & shifts
    assert {name for name in shifts if name.startswith("things-")} == shifts and len(shifts) == 5
    for role, roles in (("cross-dataset", TARGETS), ("domain", SHIFTS)):
        for source, places in roles.items():
            trials = protocol(role).trials([source], [RunSpec(method="bmip")], [1])
            assert [trial.target for trial in trials] == ["", *places]
    assert set(EMBEDDED) <= targets and len(EMBEDDED) == 4


def test_every_protocol_says_what_it_means_in_three_sentences() -> None:
    for found in protocols():
        assert found.meaning.count(". ") == 2 and found.meaning.endswith("."), found.name


def test_all_seeds_are_reported(work: Work, photos: Path) -> None:
    rows = work.run(work.trials("base-to-novel", photos, ("zero-shot", "maple"), seeds=(1, 2)))
    stored = [*rows, replace(rows[3], split="other")]
    stored += [replace(rows[1], trial=replaced(rows[1].trial, shots=1))]
    assert with_all_seeds(rows[:1], stored) == [rows[0], rows[2]]
    assert with_all_seeds(rows, stored) == rows
