"""Makes class_names.txt: 500 names with 1 to 8 tokens, 3 on average, in an order whose every prefix is mixed alike.

    python -m benchmarks.class_names

Names are a noun, and before it up to three words that describe it, from the lists below; sometimes a place follows.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from pathlib import Path
from zlib import crc32

from bmip.clip.tokenizer import Tokenizer

FILE = Path(__file__).with_name("class_names.txt")

COUNTS = {1: 76, 2: 129, 3: 140, 4: 80, 5: 42, 6: 19, 7: 10, 8: 4}
"""How many names have so many tokens."""

NOUNS = """
heron falcon sparrow magpie cormorant kestrel nuthatch goldfinch woodpecker kingfisher pelican avocet ptarmigan
salmon mackerel sturgeon lamprey seahorse stingray cuttlefish barnacle lobster
badger otter weasel hedgehog wolverine pangolin aardvark marmoset capybara chinchilla lemur gibbon
tortoise salamander chameleon axolotl gecko iguana
horse rabbit tiger zebra donkey camel goat moose panda koala whale dolphin turtle lizard
beetle ladybird dragonfly grasshopper earwig moth hornet mantis
oak birch hawthorn sycamore juniper willow rowan
orchid foxglove primrose snapdragon hydrangea geranium buttercup chrysanthemum
mushroom puffball truffle lichen fern moss
bicycle tricycle wheelbarrow tractor locomotive gondola schooner catamaran submarine helicopter
bridge lighthouse windmill cathedral aqueduct pagoda observatory greenhouse
kettle teapot colander saucepan corkscrew spatula candlestick lantern umbrella
violin trombone harpsichord accordion tambourine xylophone
telescope microscope barometer typewriter sextant hourglass
bread pretzel dumpling lasagne omelette porridge marmalade
cabbage artichoke courgette aubergine parsnip beetroot
""".split()  # noqa: SIM905

DESCRIPTIONS = """
red blue grey golden black white spotted striped crested horned small giant common lesser northern southern
alpine marine tropical wild mountain desert river wooden copper antique painted folding
long-tailed broad-leaved short-eared iridescent variegated mediterranean
""".split()  # noqa: SIM905

PLACES = ["in the snow", "by the sea", "at night", "on a beach", "seen from above", "under water"]


def candidates() -> list[str]:
    pairs = [f"{a} {noun}" for a, noun in product(DESCRIPTIONS, NOUNS)]
    triples = [f"{a} {b} {noun}" for a, b, noun in product(DESCRIPTIONS, DESCRIPTIONS, NOUNS) if a < b]
    placed = [f"{name} {place}" for name, place in product(pairs, PLACES)]
    return NOUNS + pairs + triples + placed


def chosen(tokenizer: Tokenizer) -> list[str]:
    by_length = defaultdict(list)
    for name in candidates():
        by_length[len(tokenizer.encode(name))].append(name)
    picked = {}
    for length, count in COUNTS.items():
        names = sorted(by_length[length], key=lambda name: crc32(name.encode()))
        if len(names) < count:
            raise ValueError(f"{len(names)} names have {length} tokens; {count} are needed")
        picked[length] = names[:count]
    return _mixed(picked)


def _mixed(picked: dict[int, list[str]]) -> list[str]:
    """Next comes the length that lags behind its share the most; between equals, the one that mends the mean."""
    total, mean = sum(COUNTS.values()), sum(n * c for n, c in COUNTS.items()) / sum(COUNTS.values())
    taken, order, used = dict.fromkeys(COUNTS, 0), [], 0
    for place in range(1, total + 1):
        lag = {n: COUNTS[n] * place / total - taken[n] for n in COUNTS if taken[n] < COUNTS[n]}
        late = [n for n in lag if lag[n] > max(lag.values()) - 0.5]
        length = min(late, key=lambda n: abs((used + n) / place - mean))
        order.append(picked[length][taken[length]])
        taken[length] += 1
        used += length
    return order


def class_names(count: int) -> tuple[str, ...]:
    names = FILE.read_text(encoding="utf-8").split("\n")[:-1]
    if count > len(names):
        raise ValueError(f"the list holds {len(names)} names; {count} were asked for")
    return tuple(names[:count])


if __name__ == "__main__":
    FILE.write_text("".join(f"{name}\n" for name in chosen(Tokenizer.default())), encoding="utf-8")
