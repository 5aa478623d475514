"""Checks of what training may change, and of what it starts from."""

from __future__ import annotations

import torch

from bmip.testing.case import CLASSES, Case, gradients, images, loss, require


def every_trainable_parameter_gets_a_gradient(case: Case) -> None:
    """The loss depends on every trainable parameter, except those that the prompter lists in `dead`.

    It is looked at beside the start, since a product of two matrices may start at zero.
    """
    model = case.model()
    generator = torch.Generator().manual_seed(8)
    with torch.no_grad():
        for tensor in model.trainable().values():
            tensor += 0.02 * torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype)
    silent = {name for name, gradient in gradients(model, loss(model)).items() if not gradient.any()}
    dead = {f"prompter.{name}" for name in model.prompter.dead}
    require(
        not silent - dead,
        f"no gradient reaches {', '.join(sorted(silent - dead))}: use them in the prompts or a loss, or list them in "
        "the prompter's `dead`",
    )
    require(
        not dead - silent,
        f"the prompter lists {', '.join(sorted(dead - silent))} in `dead`, and they get a gradient: take them out",
    )


def a_step_leaves_clip_unchanged(case: Case) -> None:
    """An optimiser's step changes no weight of CLIP, and leaves no gradient there."""
    model = case.model()
    before = {name: value.clone() for name, value in model.clip.state_dict().items()}
    if model.trainable():
        optimizer = torch.optim.SGD(model.trainable().values(), lr=0.1)
        loss(model).backward()
        optimizer.step()
    changed = [name for name, value in model.clip.state_dict().items() if not torch.equal(before[name], value)]
    require(not changed, f"a step changed CLIP's {', '.join(changed)}: copy what you take from CLIP")
    reached = [name for name, own in model.clip.named_parameters() if own.grad is not None or own.requires_grad]
    require(not reached, f"CLIP's {', '.join(reached)} became trainable: leave `requires_grad` as it is")


def trainable_parameters_carry_over(case: Case) -> None:
    """The trainable parameters alone bring a model of another seed to the same logits: so a checkpoint is complete."""
    model, fresh = case.model(), case.model(seed=4)
    fresh.load_trainable({name: value.detach().clone() for name, value in model.trainable().items()})
    require(
        torch.equal(fresh(images(), CLASSES), model(images(), CLASSES)),
        "a model of another seed gives other logits with the same trainable parameters: make what `build` draws a "
        "parameter, or independent of the seed",
    )


def the_seed_decides_the_start(case: Case) -> None:
    """The same seed gives the same parameters, whatever was drawn before, and building draws nothing outside."""
    state = torch.random.get_rng_state()
    first = case.model().trainable()
    require(
        torch.equal(torch.random.get_rng_state(), state),
        "building changed torch's global generator: do not seed it or restore its state in `build`",
    )
    torch.rand(1)
    second = case.model().trainable()
    differing = [name for name in first if not torch.equal(first[name], second[name])]
    require(
        not differing,
        f"two builds with one seed differ in {', '.join(differing)}: draw from torch's global generator alone",
    )
