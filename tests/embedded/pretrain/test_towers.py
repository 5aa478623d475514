import pytest
import torch
from torch.func import functional_call

from bmip.clip.text_layout import TextLayout
from bmip.embedded.pretrain.attributes import ATTRIBUTES
from bmip.embedded.pretrain.config import PretrainConfig
from bmip.embedded.pretrain.pair import (
    AttributeHeads,
    Pair,
    contrast,
    equal_captions,
    image_features,
    in_type,
    sentences,
    text_features,
)
from bmip.embedded.pretrain.start import grow, grown_name, new_clip

CAPTIONS = ("a red star", "two green boats on water.", "a photo of the letter A", "a red star", "a cactus")


@pytest.fixture(scope="module")
def clip(tokenizer):
    torch.manual_seed(0)
    clip = new_clip(PretrainConfig(width=32, heads=2, shallow_layers=2, layers=5), tokenizer).double()
    for block in (*clip.image.blocks, *clip.text.blocks):
        torch.nn.init.normal_(block.qkv.bias)
        torch.nn.init.normal_(block.down.bias)
    return clip


def test_whole_sentences_give_the_features_of_the_text_tower(clip, tokenizer):
    parts = sentences(CAPTIONS, tokenizer, context=32, parts=3)
    rows = torch.cat([part.rows for part in parts])
    ours = torch.cat([text_features(clip.text, part) for part in parts])[rows.argsort()]
    towers = clip.encode_text(clip.texts(CAPTIONS, TextLayout("{}")))[0]
    torch.testing.assert_close(ours, towers, rtol=0, atol=1e-10)
    assert sorted(rows.tolist()) == list(range(len(CAPTIONS)))


def test_images_give_the_features_of_the_image_tower(clip):
    pixels = torch.randn(3, 3, 48, 48, dtype=torch.float64)
    ours, patches = image_features(clip.image, pixels)
    torch.testing.assert_close(ours, clip.encode_image(pixels), rtol=0, atol=1e-10)
    assert patches.shape == (3, 32)


def test_long_captions_are_cut_and_keep_their_end(tokenizer):
    (part,) = sentences(["star " * 40], tokenizer, context=10, parts=1)
    assert part.ids.shape == (1, 10)
    assert part.ids[0, part.ends[0]] == tokenizer.end


def test_growth_keeps_the_function_and_leaves_room_to_learn(clip, tokenizer):
    deep = grow(clip, 5)
    pixels = torch.randn(2, 3, 48, 48, dtype=torch.float64)
    texts = clip.texts(CAPTIONS, TextLayout("{}"))
    torch.testing.assert_close(deep.encode_image(pixels), clip.encode_image(pixels), rtol=0, atol=1e-12)
    torch.testing.assert_close(deep.encode_text(texts), clip.encode_text(texts), rtol=0, atol=1e-12)
    assert deep.config.image_layers == deep.config.text_layers == len(deep.image.blocks) == 5
    deep.encode_image(pixels).square().sum().backward()
    assert all(block.down.weight.grad.any() for block in deep.image.blocks)
    named = dict(deep.named_parameters())
    for name, weight in clip.named_parameters():
        assert named[grown_name(name, 2, 5)].equal(weight)


def test_equal_captions_are_no_wrong_answers():
    same = equal_captions(["a star", "a boat", "a star"])
    assert same.tolist() == [[True, False, True], [False, True, False], [True, False, True]]
    logits = torch.tensor([[1.0, 0.0, 9.0], [0.0, 2.0, 0.0], [9.0, 0.0, 1.0]])
    masked = contrast(logits, same)
    low = logits.clone()
    low[0, 2] = low[2, 0] = -1e9
    torch.testing.assert_close(masked, contrast(low, torch.eye(3, dtype=torch.bool)))
    assert masked < contrast(logits, torch.eye(3, dtype=torch.bool)) - 1


def test_attributes_that_do_not_show_do_not_count():
    heads = AttributeHeads(8, torch.Generator())
    said = heads(torch.randn(4, 8))
    nothing = torch.full((len(ATTRIBUTES), 4), -1)
    assert heads.loss(said, nothing) == 0
    one = nothing.clone()
    one[0, 2] = 3
    expected = torch.nn.functional.cross_entropy(said[2:3, : heads.widths[0]], torch.tensor([3]))
    torch.testing.assert_close(heads.loss(said, one), 0.6 * expected / 4)


def test_small_products_keep_the_weights_in_float32(clip, tokenizer):
    pair = Pair(clip, seed=0).float()
    weights = in_type(pair, torch.bfloat16)
    assert weights["clip.image.blocks.0.up.weight"].dtype == torch.bfloat16
    assert weights["clip.text.token_embedding.weight"].dtype == weights["clip.logit_scale"].dtype == torch.float32
    pixels, truth = torch.randn(5, 3, 48, 48), torch.zeros(len(ATTRIBUTES), 5, dtype=torch.int64)
    given = (pixels, sentences(CAPTIONS, tokenizer, context=32), truth, equal_captions(CAPTIONS), 0.5)
    exact, rounded = pair(*given), functional_call(pair, weights, given)
    assert exact["contrast"].item() == pytest.approx(rounded["contrast"].item(), abs=0.1)
    rounded["contrast"].backward()
    assert pair.clip.image.blocks[0].up.weight.grad.dtype == torch.float32
    clip.double()
