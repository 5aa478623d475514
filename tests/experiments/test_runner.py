"""The runner on photos and a small backbone: nothing is done twice, and an interruption changes nothing."""

import json
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from bmip.class_names import ClassNames
from bmip.clip.loading.load import load_clip
from bmip.clip.model import CLIP
from bmip.data.dataset import DataError, Dataset, split_hash
from bmip.data.load import load_dataset
from bmip.data.read_config import ReadConfig
from bmip.evaluation.evaluate import evaluate
from bmip.evaluation.prediction_files import read_predictions
from bmip.experiments.execute import execute, predictions_file
from bmip.experiments.failures import Failure
from bmip.experiments.listener import ProgressListener
from bmip.experiments.method_trial import method_trial
from bmip.experiments.registry import protocol
from bmip.experiments.resources import Resources
from bmip.experiments.results import Results, Row
from bmip.experiments.runner import TrialsFailed, check_trials, run_trials
from bmip.experiments.stored import StoredRows
from bmip.experiments.template_choice import best_template
from bmip.experiments.trial import Trial
from bmip.methods import build_model
from bmip.report import as_markdown, tables
from bmip.run_spec import settings
from bmip.testing import tiny_clip, tiny_dataset
from bmip.training.progress import Tick
from tests.experiments.making import replaced

TRAINING = {"epochs": 3, "batch": 4}


class Seen(ProgressListener):
    def __init__(self, stop_at: tuple[str, int] | None = None) -> None:
        self.stop_at = stop_at
        self.failures: list[tuple[Trial, Failure]] = []
        self.skipped: list[bool] = []
        self.ticks = 0

    def tick(self, trial: Trial, tick: Tick) -> None:
        self.ticks += 1
        if (trial.run.method, tick.epoch) == self.stop_at:
            raise KeyboardInterrupt

    def done(self, row: Row, *, skipped: bool) -> None:
        self.skipped.append(skipped)

    def failed(self, trial: Trial, failure: Failure) -> None:
        self.failures.append((trial, failure))


@pytest.fixture
def resources(tmp_path: Path) -> Resources:
    return Resources(device="cpu")


@pytest.fixture
def trials(photos: Path, backbone: Path, tmp_path: Path) -> list[Trial]:
    read = ReadConfig(cache=str(tmp_path / "cache"))
    given = {"shots": 2, "backbone": str(backbone), "training": TRAINING, "read": read}
    methods = [method_trial("zero-shot", **given), method_trial("maple", options={"depth": 2}, **given)]
    return list(protocol("base-to-novel").trials([str(photos)], methods, [1, 2]))


def test_rows_say_what_was_judged(trials: list[Trial], resources: Resources, tmp_path: Path) -> None:
    store = Results(tmp_path / "results.jsonl")
    rows = run_trials(trials, store, runs=tmp_path / "runs", resources=resources)
    assert [row.trial for row in rows] == trials
    assert {row.trial: row for row in store.rows()} == {row.trial: row for row in rows}
    clip, dataset = (
        resources.clip_for(trials[0].run),
        resources.dataset(trials[0].run.data, trials[0].run.read),
    )
    for row in rows:
        assert set(row.counts) == {"base", "novel"}
        assert sum(count.total for count in row.counts.values()) == len(dataset.test)
        assert (row.backbone, row.split) == (clip.sha256, split_hash(dataset))
        assert row.environment["torch"] == torch.__version__
        assert {"commit", "dirty"} <= row.environment.keys()
        for part, count in row.counts.items():
            kept = read_predictions(tmp_path / "runs" / predictions_file(_first_of_its_kind(row.trial), part))
            assert (kept.correct, kept.total) == count
    assert [row.trainable for row in rows] == [0, rows[1].trainable, 0, rows[1].trainable]
    assert rows[1].trainable > 0
    folder = tmp_path / "runs" / trials[1].run.folder
    assert (folder / "prompts.safetensors").exists()
    assert len({tmp_path / trial.run.folder for trial in trials}) == len(trials)


def _first_of_its_kind(trial: Trial) -> Trial:
    """The trial whose run is evaluated: that of another seed where nothing is trained."""
    return replaced(trial, data_seed=1, init_seed=1) if trial.run.method == "zero_shot" else trial


def test_what_is_done_is_skipped(trials: list[Trial], resources: Resources, tmp_path: Path) -> None:
    store = Results(tmp_path / "results.jsonl")
    run_trials(trials[:2], store, runs=tmp_path / "runs", resources=resources)
    seen = Seen()
    run_trials([*trials, *trials], store, runs=tmp_path / "runs", resources=resources, listener=seen)
    assert seen.skipped == [True, True, False, False]
    before = store.path.read_bytes()
    seen = Seen()
    run_trials(trials, store, runs=tmp_path / "runs", resources=resources, listener=seen)
    assert (seen.skipped, seen.ticks) == ([True] * 4, 0)
    assert store.path.read_bytes() == before


def test_an_untrained_method_is_judged_once_for_all_seeds(
    trials: list[Trial], resources: Resources, tmp_path: Path
) -> None:
    untrained = [trial for trial in trials if trial.run.method == "zero_shot"]
    first, second = run_trials(untrained, Results(tmp_path / "r"), runs=tmp_path, resources=resources)
    assert first.counts == second.counts
    assert second.seconds == 0


@pytest.mark.parametrize("epoch", [1, 3])
def test_interrupted_trials_go_on_to_the_same_rows(
    trials: list[Trial], resources: Resources, tmp_path: Path, epoch: int
) -> None:
    whole = run_trials(trials, Results(tmp_path / "whole.jsonl"), runs=tmp_path / "whole", resources=resources)
    store = Results(tmp_path / "cut.jsonl")
    with pytest.raises(KeyboardInterrupt):
        run_trials(trials, store, runs=tmp_path / "cut", resources=resources, listener=Seen(("maple", epoch)))
    # As a kill within the write of a row leaves it:
    with store.path.open("ab") as file:
        file.write(b'{"trial": {"protocol": "base-to-n')
    rows = run_trials(trials, store, runs=tmp_path / "cut", resources=resources)
    assert [row.counts for row in rows] == [row.counts for row in whole]
    assert {row.trial: row for row in store.rows()} == {row.trial: row for row in rows}
    for trial in (trial for trial in trials if trial.run.method == "maple"):
        prompts = [tmp_path / runs / trial.run.folder / "prompts.safetensors" for runs in ("whole", "cut")]
        assert prompts[0].read_bytes() == prompts[1].read_bytes()


def test_rows_of_another_backbone_or_of_other_data_do_not_count(
    trials: list[Trial], resources: Resources, tmp_path: Path
) -> None:
    store = Results(tmp_path / "results.jsonl")
    (row,) = run_trials(trials[:1], store, runs=tmp_path / "runs", resources=resources)
    for name, stale in (("b", replace(row, backbone="0" * 64)), ("s", replace(row, split="0" * 64))):
        alone, seen = Results(tmp_path / name), Seen()
        alone.append(stale)
        assert run_trials(trials[:1], alone, runs=tmp_path / "runs", resources=resources, listener=seen)[0] != stale
        assert seen.skipped == [False]
        store.append(stale)
    seen = Seen()
    assert run_trials(trials[:1], store, runs=tmp_path / "runs", resources=resources, listener=seen) == [row]
    assert seen.skipped == [True], "what is stored of these data counts, whatever came later"


def test_data_without_training_images_are_refused_before_any_work(
    trials: list[Trial], photos: Path, tmp_path: Path
) -> None:
    def load(name: str, read: ReadConfig) -> Dataset:
        dataset = load_dataset(str(photos), replace(read, cache=str(tmp_path / "cache")))
        return replace(dataset, train=dataset.train.take([])) if name == "bare" else dataset

    few_shot = list(
        protocol("few-shot").trials([trials[0].run.data, "bare"], [trial.run.variant() for trial in trials[:2]], [1])
    )
    with pytest.raises(DataError, match="bare has no images to train on, which maple needs"):
        run_trials(few_shot, Results(tmp_path / "r"), runs=tmp_path, resources=Resources(device="cpu", load=load))
    assert not (tmp_path / "r").exists()
    resources = Resources(device="cpu", load=load)
    apart = [trial for trial in few_shot if trial.run.data != "bare" or trial.run.method == "zero_shot"]
    rows = run_trials(apart, Results(tmp_path / "r"), runs=tmp_path, resources=resources)
    assert {(row.trial.run.method, row.trial.run.data) for row in rows} == {
        ("zero_shot", "bare"),
        *((method, few_shot[0].run.data) for method in ("zero_shot", "maple")),
    }, "what is not trained needs no images to train on, and what is trained has some"


def test_a_limit_counts_the_rows_that_are_made(trials: list[Trial], resources: Resources, tmp_path: Path) -> None:
    """A stored row of other images is none: to make it again counts."""
    store = Results(tmp_path / "results.jsonl")
    (old,) = run_trials(trials[1:2], store, runs=tmp_path / "runs", resources=resources)
    store.path.write_bytes(replace(old, split="of other images").to_line() + b"\n")
    seen = Seen()
    run_trials(trials, store, runs=tmp_path / "runs", resources=resources, listener=seen, limit=2)
    assert seen.skipped == [False, False]
    assert {row.trial for row in store.rows()} == set(trials[:2])
    run_trials(trials, store, runs=tmp_path / "runs", resources=resources, listener=seen, limit=0)
    assert seen.skipped == [False, False, True, True]


def test_rows_that_are_not_written_yet_are_copied_too(
    trials: list[Trial], resources: Resources, tmp_path: Path
) -> None:
    """Far from the driver a worker reads the file before its own rows stand in it."""
    untrained = [trial for trial in trials if trial.run.method == "zero_shot"]
    (first, *_) = run_trials(untrained[:1], Results(tmp_path / "made"), runs=tmp_path, resources=resources)
    (tmp_path / "r").touch()
    stored = StoredRows(Results(tmp_path / "r"), resources)
    stored.add(first)
    stored.read_again()
    found = stored.of_another_seed(untrained[1])
    assert found is not None and found.counts == first.counts


def test_predictions_for_two_folders_of_one_name_are_kept_apart(trials: list[Trial]) -> None:
    places = ("/data/clinic1/images", "/data/clinic2/images", "x" * 50, "x" * 49 + "y", "things-v2")
    files = {predictions_file(replace(trials[0], protocol="cross-dataset", target=target), "all") for target in places}
    assert len(files) == len(places)
    assert "cross-dataset-things-v2-all.csv" in {file.name for file in files}


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_training_that_diverges_is_named_and_the_others_go_on(
    trials: list[Trial], resources: Resources, tmp_path: Path, epochs: int
) -> None:
    """In its last step too, after which only judging meets the numbers."""
    wild = settings({"lr": 1e30, "warmup_lr": 1e30, "epochs": epochs, "batch": 4})
    diverging = replaced(trials[1], training=wild)
    store, seen = Results(tmp_path / "results.jsonl"), Seen()
    with pytest.raises(TrialsFailed, match=r"photos maple, 2 shots, seeds 1/1 .*lr=1e.30.*not finite") as caught:
        run_trials([diverging, *trials], store, runs=tmp_path, resources=resources, listener=seen)
    assert [row.trial for row in caught.value.rows] == trials
    assert {row.trial: row for row in store.rows()} == {row.trial: row for row in caught.value.rows}
    assert [trial for trial, _ in seen.failures] == [diverging]


def test_a_training_that_diverges_is_made_once_for_all_targets(
    trials: list[Trial], resources: Resources, tmp_path: Path, photos: Path
) -> None:
    wild = replace(
        replaced(trials[1], training=settings({"lr": 1e30, "warmup_lr": 1e30}), classes="all"), protocol="domain"
    )
    seen = Seen()
    with pytest.raises(TrialsFailed) as caught:
        targets = [wild, replace(wild, target=wild.run.data)]
        run_trials(targets, Results(tmp_path / "r"), runs=tmp_path, resources=resources, listener=seen)
    assert len(caught.value.described()) == 1
    assert [trial for trial, _ in seen.failures] == targets and seen.ticks < 10


def test_a_damaged_run_folder_is_named_and_the_others_go_on(
    trials: list[Trial], resources: Resources, tmp_path: Path
) -> None:
    seen, folder = Seen(), tmp_path / trials[1].run.folder
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{")
    with pytest.raises(TrialsFailed, match="is damaged") as caught:
        run_trials(trials, Results(tmp_path / "r"), runs=tmp_path, resources=resources, listener=seen)
    assert dict(seen.failures) == caught.value.failures
    assert [(trial, failure.kind) for trial, failure in seen.failures] == [(trials[1], "data")]
    assert [row.trial for row in caught.value.rows] == [trials[0], *trials[2:]]


def test_the_template_is_chosen_on_validation_images() -> None:
    dataset, clip = tiny_dataset(), tiny_clip()
    model = build_model("zero-shot", {}, clip, dataset.classes, seed=0)
    templates = ("a photo of a {}.", "{}", "grey dog red {} a photo", "a {} dog of a dog")

    def right(template: str, data: Dataset) -> int:
        named = ClassNames(data.classes.names, template)
        assert data.val is not None
        return evaluate(build_model("zero-shot", {}, clip, named, seed=0), data.val, named).correct

    several = replace(dataset, classes=replace(dataset.classes, templates=templates))
    scores = [right(template, dataset) for template in templates]
    assert len(set(scores)) > 1
    assert best_template(model, several) == templates[scores.index(max(scores))]
    for blind in (tiny_dataset(val=False), tiny_dataset(val_is_test=True)):
        asked = replace(blind, classes=replace(blind.classes, templates=templates[1:]))
        assert best_template(model, asked) is None, "there is nothing to choose on"


def test_a_group_of_trials_is_executed_from_plain_values(trials: list[Trial], tmp_path: Path) -> None:
    """In another process the same rows come out, but for the time that they took."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        (there,) = pool.submit(executed, pickle.dumps(trials[1:2]), tmp_path / "there").result()
    (here,) = execute(trials[1:2], tmp_path / "here", device="cpu")
    assert there.seconds > 0
    spent = {"training_seconds": 0.0, "evaluation_seconds": 0.0, "peak_memory": None, "environment": {}, "time": ""}
    assert replace(there, **spent) == replace(here, **spent)
    prompts = [tmp_path / where / here.trial.run.folder / "prompts.safetensors" for where in ("here", "there")]
    assert prompts[0].read_bytes() == prompts[1].read_bytes()


def executed(trials: bytes, runs: Path) -> list[Row]:
    return list(execute(pickle.loads(trials), runs, device="cpu"))


def test_an_earlier_run_of_other_images_is_set_aside(trials: list[Trial], tmp_path: Path, photos: Path) -> None:
    class Remarks(ProgressListener):
        told: ClassVar[list[str]] = []

        def remark(self, text: str) -> None:
            self.told.append(text)

    def fewer(name: str, read: ReadConfig) -> Dataset:
        dataset = load_dataset(name, read)
        return replace(dataset, train=dataset.train.take(range(0, len(dataset.train), 2)))

    list(execute(trials[1:2], tmp_path, device="cpu"))
    folder = tmp_path / trials[1].run.folder
    before = (folder / "prompts.safetensors").read_bytes()
    list(execute(trials[1:2], tmp_path, resources=Resources(device="cpu", load=fewer), listener=Remarks()))
    aside = folder.with_name(f"{folder.name}.earlier-1")
    assert (aside / "prompts.safetensors").read_bytes() == before
    assert (folder / "prompts.safetensors").exists()
    assert any("split_hash" in text and str(aside) in text for text in Remarks.told)


HOLDER = """
import json
import sys
from pathlib import Path
from bmip.experiments.task import claim
from bmip.run_spec import RunSpec
from bmip.training.run_folder import alone_in

kind, runs, run = sys.argv[1], Path(sys.argv[2]), RunSpec.from_json(json.loads(sys.argv[3]))
with claim(run, runs, 0.0) if kind == "claim" else alone_in(runs / run.folder):
    print("held", flush=True)
    sys.stdin.read()
"""


class Waiting(Seen):
    """Does something when the runner waits for others."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self.act, self.order = act, []

    def remark(self, text: str) -> None:
        if text.startswith("waiting"):
            self.act()

    def done(self, row: Row, *, skipped: bool) -> None:
        super().done(row, skipped=skipped)
        self.order.append(row.trial)


@pytest.mark.parametrize(("kind", "dies"), [("claim", True), ("folder", False)])
def test_a_run_of_another_process_is_left_to_it_and_taken_over_if_that_dies(
    trials: list[Trial], resources: Resources, tmp_path: Path, kind: str, dies: bool
) -> None:
    (alone,) = run_trials(trials[1:2], Results(tmp_path / "alone"), runs=tmp_path / "alone-runs", resources=resources)
    command = [sys.executable, "-c", HOLDER, kind, str(tmp_path), json.dumps(trials[1].run.to_json())]
    store = Results(tmp_path / "results.jsonl")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"

        def act() -> None:
            if not dies:
                store.append(alone)
            other.send_signal(signal.SIGKILL)

        seen = Waiting(act)
        rows = run_trials(trials, store, runs=tmp_path, resources=resources, listener=seen)
    assert seen.order == [trials[0], *trials[2:], trials[1]]
    assert seen.skipped == [False] * 3 + [not dies]
    assert [row.trial for row in rows] == trials
    assert rows[1].counts == alone.counts
    assert all(row in store.rows() for row in rows)
    assert len(store.path.read_text().splitlines()) == len(trials)


def test_two_processes_share_the_trials(trials: list[Trial], resources: Resources, tmp_path: Path) -> None:
    alone, both, context = Seen(), tmp_path / "both", get_context("spawn")
    rows = run_trials(trials, Results(tmp_path / "r"), runs=tmp_path / "runs", resources=resources, listener=alone)
    start, sent = context.Barrier(2), context.SimpleQueue()
    other = context.Process(target=send_shared, args=(pickle.dumps(trials), both, start, sent))
    other.start()
    ticks, made, table = shared(trials, both, start)
    other_ticks, other_made, other_table = sent.get()
    other.join()
    assert table == other_table
    assert sorted([*made, *other_made]) == sorted(trial.described() for trial in trials), "each is made once"
    assert ticks + other_ticks == alone.ticks
    store = Results(both / "results.jsonl")
    assert len(store.path.read_text().splitlines()) == len(trials)
    assert {row.trial: row.counts for row in store.rows()} == {row.trial: row.counts for row in rows}


class Made(Seen):
    def __init__(self) -> None:
        super().__init__()
        self.trials: list[str] = []

    def done(self, row: Row, *, skipped: bool) -> None:
        if not skipped:
            self.trials.append(row.trial.described())


def shared(trials: list[Trial], folder: Path, start: Barrier) -> tuple[int, list[str], str]:
    """Steps of training, trials that were made, and the table, of one of the processes that start together."""
    made, resources = Made(), Resources(device="cpu")
    check_trials(trials, resources)
    start.wait()
    rows = run_trials(trials, Results(folder / "results.jsonl"), runs=folder, resources=resources, listener=made)
    return made.ticks, made.trials, "\n".join(map(as_markdown, tables(rows)))


def send_shared(trials: bytes, folder: Path, start: Barrier, sent: SimpleQueue) -> None:
    torch.set_num_threads(1)
    sent.put(shared(pickle.loads(trials), folder, start))


def test_no_batch_goes_through_the_frozen_tower_twice(photos: Path, backbone: Path, tmp_path: Path) -> None:
    entered: list[bytes] = []

    def listened(name: str) -> CLIP:
        clip = load_clip(name)
        clip.image.register_forward_pre_hook(lambda _, given: entered.append(given[0].numpy().tobytes()))
        return clip

    given = {"shots": 2, "backbone": str(backbone)}
    methods = [method_trial("zero_shot", **given), method_trial("coop", training=TRAINING, **given)]

    def rows(name: str, resources: Resources, *protocols: str) -> list[Row]:
        trials = [one for each in protocols for one in protocol(each).trials([str(photos)], methods, [1, 2])]
        return run_trials(trials, Results(tmp_path / name), runs=tmp_path / f"{name}-runs", resources=resources)

    shared = rows("shared", Resources(backbone=listened), "base-to-novel", "open-world", "ratio-sweep")
    assert entered
    assert len(set(entered)) == len(entered)
    for name in ("base-to-novel", "open-world", "ratio-sweep"):
        for row, alone in zip(
            [row for row in shared if row.trial.protocol == name], rows(name, Resources(), name), strict=True
        ):
            assert (row.trial, row.counts, row.scores) == (alone.trial, alone.counts, alone.scores)
