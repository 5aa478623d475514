import pytest

from benchmarks.ablations import CHOICES
from bmip.class_names import ClassNames
from bmip.clip.loading.load import load_clip
from bmip.experiments.method_trial import method_trial
from bmip.methods import build_model

ALL = {f"{group}: {words}": options for group, choices in CHOICES.items() for words, options in choices.items()}


@pytest.mark.parametrize("words", ALL)
def test_every_choice_is_a_method_of_its_own(words: str) -> None:
    specs = {one: method_trial("bmip", options=options, backbone="embedded") for one, options in ALL.items()}
    spec = specs[words]
    same = [other for other, one in specs.items() if one == spec]
    assert same == [words]
    build_model(
        "bmip", dict(spec.options), load_clip("embedded"), ClassNames(("cat", "dog"), "a photo of a {}."), seed=0
    )
