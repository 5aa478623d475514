"""The model card of prompts whose training bmip has not seen."""

from dataclasses import replace

from bmip import ClassNames, build_model
from bmip.learner.model_card import model_card
from bmip.testing import tiny_clip


def test_imported_prompts_claim_no_training() -> None:
    """The card of other prompts is tested with the hub."""
    model = build_model("coop", {}, tiny_clip(), ClassNames(("red", "green")), seed=0)
    plain = replace(model.described(), training={"lr": 0.002})
    imported = replace(plain, imported="model.pth.tar-5, SHA-256 abc")
    cards = [model_card("someone/pets", one, summary="CoOp.", trainable=1) for one in (plain, imported)]
    for claim in ("16 shots", "seed of the draw", "lr = 0.002"):
        assert [claim in card for card in cards] == [True, False]
    assert "| imported from a checkpoint of the method's released code | model.pth.tar-5, SHA-256 abc |" in cards[1]
