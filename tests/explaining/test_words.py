import pytest
import torch

from bmip.explaining.words import nearest_words
from bmip.methods import build_model, combination_names, method_names
from bmip.testing import cases
from bmip.testing.case import CLASSES, new_vit


def test_prompts_that_start_from_words_are_nearest_to_them() -> None:
    options = {"depth": 2, "slots": 2, "context": "red photo"}
    model = build_model("maple", options, new_vit(torch.float32), CLASSES, seed=1)
    first, second = nearest_words(model, 2)
    assert (first.slot, second.slot) == ("1", "2")
    assert first.words[0] == ("red", pytest.approx(1, abs=1e-5)) and second.words[0][0] == "photo"
    assert first.words[0][1] > first.words[1][1]


def test_cosines_are_those_of_single_words() -> None:
    clip = new_vit(torch.float32)
    model = build_model("coop", {"slots": 1, "context": ""}, clip, CLASSES, seed=4)
    (slot,) = model.trainable().values()
    (found,) = nearest_words(model, 3)
    values = {}
    for word in ("a", "photo", "red", "dog", "theory", *(word for word, _ in found.words)):
        (number,) = clip.tokenizer.encode(word)
        assert clip.tokenizer.whole_words()[number] == word
        known = clip.text.token_embedding.weight[number]
        values[word] = torch.cosine_similarity(slot.flatten(), known, dim=0).item()
    assert sorted(values, key=values.__getitem__, reverse=True)[:3] == [word for word, _ in found.words]
    assert [values[word] for word, _ in found.words] == pytest.approx([value for _, value in found.words], abs=1e-5)


@pytest.mark.parametrize("method", (*method_names(), *combination_names()))
def test_every_method_has_words_or_none(method: str) -> None:
    model = cases(method)[0].on(new_vit(torch.float32))
    if model.prompter.reads_images:
        return
    prompts = model.prompts(model.classes)
    has_text = any(own and own[0] is not None for own in (prompts.text, *prompts.sentences))
    assert bool(nearest_words(model, 1)) == has_text


def test_many_lists_are_numbered_and_others_have_no_words() -> None:
    clip = new_vit(torch.float32)
    own = build_model("coop", {"slots": 2, "class_specific": True}, clip, CLASSES, seed=1)
    assert [one.slot for one in nearest_words(own)][:3] == ["1.1", "1.2", "2.1"]
    assert nearest_words(build_model("vpt", {"depth": 2}, clip, CLASSES, seed=1)) == []
    with pytest.raises(ValueError, match="differ between images, so no words"):
        nearest_words(build_model("cocoop", {}, clip, CLASSES, seed=1))
