"""The text tower in two streams: one stem that all classes share, and a tail for each class.

Under the causal mask a token does not see what follows it. So the tokens with which all sentences begin, the stem, are
computed once. The stem runs through all layers, and its keys and values are kept; the tails follow, some classes at a
time. If there is more than one such chunk, each is computed again in the backward pass: then memory does not grow with
the number of classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from bmip.clip.block import Activation, Block, Blocks, Keys, LayerNorm, attend, received
from bmip.clip.linear import Linear
from bmip.clip.prompts import LayerView, Prompt, check_layers, resolve, slots_of
from bmip.clip.texts import ClassTexts, Lead, Tails


class TextTower(nn.Module):
    """CLIP's text transformer.

    Args:
        context: tokens of the longest sentence.
        vocabulary: number of tokens that it knows.
        width: channels of a token.
        layers: number of blocks.
        heads: attention heads of each block.
        out: channels of the features.
        activation: of the blocks' MLP.
    """

    chunk_tokens: int = 4096
    """The number of tail tokens that run at once, times the images where prompts differ between images. In training,
    each takes about 0.5 MB in the text tower of ViT-B/16."""

    def __init__(
        self, *, context: int, vocabulary: int, width: int, layers: int, heads: int, out: int, activation: Activation
    ) -> None:
        super().__init__()
        # Given its memory, the embedding draws no random numbers that loading would overwrite.
        self.token_embedding = nn.Embedding(vocabulary, width, _weight=torch.empty(vocabulary, width))
        self.positional_embedding = nn.Parameter(torch.empty(context, width))
        self.blocks = Blocks(Block(width, heads, activation) for _ in range(layers))
        self.ln_final = LayerNorm(width)
        self.projection = Linear(width, out, bias=False)

    @property
    def width(self) -> int:
        """Channels of a token."""
        return self.token_embedding.embedding_dim

    def forward(self, texts: ClassTexts, prompts: Sequence[Prompt] = ()) -> Float[Tensor, "image class out"]:
        """Features before normalisation, read at the end token; classes have the order of the class list.

        Raises ValueError for more prompts than layers, and for prompts that fit neither the slots nor the classes.
        """
        check_layers("text", prompts, len(self.blocks))
        offered = slots_of(prompts)
        if offered != texts.layout.slots:
            raise ValueError(f"the prompts fill {offered} slots; the sentences were laid out for {texts.layout.slots}")
        for layer, prompt in enumerate(prompts):
            if isinstance(prompt, Tensor) and prompt.shape[1] not in (1, texts.classes):
                raise ValueError(
                    f"the prompt of text layer {layer} is for {prompt.shape[1]} classes and the list has "
                    f"{texts.classes}: class-specific prompts work only on the classes they were trained on"
                )
        texts = texts.to(self.positional_embedding.device)
        past, entered = self._run_lead(texts, prompts)
        chunks = self.chunks(texts, entered)
        run = partial(self._run_tails, past, entered)
        if len(chunks) == 1:
            features = run(chunks[0])
        elif torch.is_grad_enabled():
            features = torch.cat([_again_on_the_way_back(run, chunk) for chunk in chunks], dim=1)
        else:
            features = torch.cat([run(chunk) for chunk in chunks], dim=1)
        return features[:, torch.cat([chunk.classes for chunk in chunks]).argsort()]

    def chunks(self, texts: ClassTexts, prompts: Sequence[Prompt]) -> tuple[Tails, ...]:
        """The classes that run at once; fewer where each image has prompts of its own."""
        images = max((prompt.shape[0] for prompt in prompts if isinstance(prompt, Tensor)), default=1)
        return texts.chunks(max(1, self.chunk_tokens // max(1, images)))

    def _run_lead(self, texts: ClassTexts, prompts: Sequence[Prompt]) -> tuple[list[Keys], Sequence[Prompt]]:
        """The stem's keys and values in every layer, and the prompts that entered it, for the slots in the tails."""
        lead, own, stem = texts.lead, texts.layout.per_class, texts.lead.stem
        x = self._embed(lead.ids, torch.arange(len(lead.ids), device=lead.ids.device))
        mask = _causal(len(lead.ids), x.device)
        past, entered = [], []
        for i, block in enumerate(self.blocks):
            prompt = prompts[i] if i < len(prompts) and not own else None
            if prompt is not None:
                if lead.inserted and stem == lead.stem:
                    x, stem = _opened(x, lead.inserted), stem + lead.inserted
                    mask = _causal(x.shape[1], x.device)
                look, below = partial(_look_at_lead, block, x, lead), partial(_below_lead, x, lead)
                prompt = resolve(prompt, LayerView(i, x.shape[1], look, below), texts.layout.slots)
                new = _shared(prompt)[:, lead.slot_numbers]
                placed = i == 0 and not lead.inserted
                x = _enter(x, self._placed(new, lead.slot_places) if placed else new, lead.slot_places)
            entered.append(prompt)
            if i >= len(prompts):
                # No later layer reads the attention of the sentence without a name.
                x, mask = x[:, :stem], mask[:stem, :stem]
            last = i == len(self.blocks) - 1
            seen = block.project(x, x[:, :0] if last else None)
            past.append(Keys(seen.k[:, :stem], seen.v[:, :stem]))
            if not last:
                x = block.finish(x, attend(*seen, mask=mask))
        return past, prompts if own else entered

    def _run_tails(self, past: Sequence[Keys], prompts: Sequence[Prompt], tails: Tails) -> Tensor:
        x = self._embed(tails.ids, tails.positions)
        mask = _causal(tails.spread.shape[1], x.device)
        places = tails.slot_places.flatten()
        for i, block in enumerate(self.blocks):
            prompt = prompts[i] if i < len(prompts) else None
            if prompt is not None and len(tails.slot_numbers):
                reach = (tails.positions[tails.ends] + 1)[:, None]
                look, below = partial(_look_at_tails, block, x, tails, past[i]), partial(_below_tails, x, tails)
                new = resolve(prompt, LayerView(i, reach, look, below), slots_of(prompts))
                if isinstance(prompt, Tensor) and prompt.shape[1] > 1:
                    new = new[:, tails.classes]
                new = new[:, :, tails.slot_numbers].expand(-1, len(tails.classes), -1, -1).flatten(1, 2)
                x = _enter(x, self._placed(new, tails.positions[places]) if i == 0 else new, places)
            if i == len(self.blocks) - 1:
                ends = x[:, tails.ends]  # the last block is read at [end] alone
                q, k, v = block.project(x, ends)
                spread = (q.unsqueeze(2), _spread(k, tails), _spread(v, tails))
                mixed = attend(*spread, past=past[i], mask=tails.before_end)
                return self.projection(self.ln_final(block.finish(ends, mixed.squeeze(2))))
            spread = [_spread(t, tails) for t in block.project(x)]
            mixed = attend(*spread, past=past[i], mask=mask)
            x = block.finish(x, mixed.flatten(1, 2).index_select(1, tails.pack))
        raise ValueError("a text tower needs at least one layer")

    def _embed(self, ids: Tensor, positions: Tensor) -> Float[Tensor, "1 token width"]:
        return (self.token_embedding(ids) + self.positional_embedding[positions])[None]

    def _placed(self, new: Tensor, positions: Tensor) -> Tensor:
        return new + self.positional_embedding[positions]


def _enter(x: Tensor, new: Tensor, places: Tensor) -> Tensor:
    """`x` (#image, token, width), in which `new` (#image, slot, width) replaces the tokens at these places."""
    images = max(x.shape[0], new.shape[0])
    return x.expand(images, -1, -1).index_copy(1, places, new.to(x.dtype).expand(images, -1, -1))


def _opened(x: Float[Tensor, "image token width"], slots: int) -> Float[Tensor, "image more width"]:
    """The tokens with room for slots behind the first of them."""
    return torch.cat([x[:, :1], x.new_zeros(x.shape[0], slots, x.shape[2]), x[:, 1:]], dim=1)


def _spread(packed: Float[Tensor, "image token *rest"], tails: Tails) -> Float[Tensor, "image class longest *rest"]:
    # Picking rows adds up whole rows in the backward pass; indexing would add number by number.
    return packed.index_select(1, tails.spread.flatten()).unflatten(1, tails.spread.shape)


def _again_on_the_way_back(run: partial, chunk: Tails) -> Tensor:
    """The chunk's features; what leads to them is computed again for the gradient.

    `checkpoint` restores the random state, which dropout needs, of the devices of those arguments that are tensors.
    """
    return checkpoint(lambda part, _: run(part), chunk, chunk.ids, use_reentrant=False)  # pyright: ignore[reportReturnType]


def _shared(prompt: Tensor) -> Float[Tensor, "image slot width"]:
    if prompt.shape[1] != 1:
        raise ValueError(f"a prompt for {prompt.shape[1]} classes met slots that all share: lay them out per class")
    return prompt[:, 0]


def _causal(tokens: int, device: torch.device) -> Tensor:
    return torch.ones(tokens, tokens, dtype=torch.bool, device=device).tril()


def _look_at_lead(block: Block, x: Tensor, lead: Lead) -> Float[Tensor, "image 1 slot"]:
    """The attention that the end token of the sentence without a name gives to each slot."""
    if len(lead.ids) == lead.stem:
        raise ValueError("this prompt reads attention: ask for a name-free sentence with `probe=True` in the layout")
    with torch.no_grad():
        return received(block.queries(x[:, -1:]), block.keys(x), lead.slot_places)[:, None]


def _below_lead(x: Tensor, lead: Lead) -> Float[Tensor, "image 1 slot width"]:
    return x.index_select(1, lead.slot_places)[:, None]


def _below_tails(x: Tensor, tails: Tails) -> Float[Tensor, "image class slot width"]:
    return x.index_select(1, tails.slot_places.flatten()).unflatten(1, tails.slot_places.shape)


def _look_at_tails(block: Block, x: Tensor, tails: Tails, past: Keys) -> Float[Tensor, "image class slot"]:
    with torch.no_grad():
        q, k = block.queries(x[:, tails.ends]).unsqueeze(2), _spread(block.keys(x), tails)
        return received(q, k, tails.slot_spread, past=past, mask=tails.before_end)
