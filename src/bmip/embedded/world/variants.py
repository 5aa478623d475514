"""The source of a domain-generalisation study and its four variants, in the roles of ImageNet, V2, Sketch, A and R."""

from bmip.embedded.world import arrangements
from bmip.embedded.world.naming import NAMED, PHOTO, called, mixed, things_of
from bmip.embedded.world.plan import Plan
from bmip.embedded.world.vocabulary import HELD_OUT_SHAPES, SHAPES
from bmip.embedded.world.worldset import WorldSet

_SOURCE = mixed(SHAPES[:35], HELD_OUT_SHAPES[:5], 1)
"""Classes of `shapes` and its four variants."""


def shapes_and_variants() -> list[WorldSet]:
    things = things_of(_SOURCE)
    base = Plan(styles=PHOTO, radius=(13.0, 20.0), turn=0.5, texture_rate=0.5, unseen=True, contrast=0.5)
    again = Plan(
        styles={"photo": 0.5, "cartoon": 0.3, "painting": 0.2},
        radius=(12.0, 19.0),
        turn=0.55,
        texture_rate=0.6,
        unseen=True,
        contrast=0.4,
        corruption_rate=0.1,
    )
    pencil = Plan(styles={"sketch": 1.0}, radius=(15.0, 21.0), turn=0.3, wobble=0.7, unseen=True)
    hidden = Plan(
        styles=PHOTO,
        radius=(13.0, 19.0),
        turn=0.4,
        texture_rate=0.3,
        unseen=True,
        contrast=0.2,
        clash=0.85,
        corruption_rate=0.2,
        corruptions=("noisy", "dark", "faint"),
    )
    other_media = {"neon": 0.2, "silhouette": 0.2, "mosaic": 0.2, "negative": 0.2, "painting": 0.2}
    media = Plan(styles=other_media, radius=(13.0, 20.0), turn=0.4, unseen=True, wobble=0.9)
    kinds = {
        "shapes": (
            base,
            0,
            "Shapes before a wall with a texture; pre-training shows textures on things alone.",
        ),
        "shapes-v2": (again, 0, "`shapes` drawn again, with other odds for size, turn and texture."),
        "shapes-sketch": (pencil, 0, "`shapes` in pencil, a style pre-training never shows."),
        "shapes-adversarial": (hidden, 1, "`shapes` in colours close to the wall's, among small other shapes."),
        "shapes-rendition": (media, 0, "`shapes` as neon tubes, silhouettes, mosaics, negatives and paintings."),
    }

    def one(name: str, plan: Plan, clutter: int, about: str) -> WorldSet:
        return WorldSet(
            name=name,
            about=about,
            class_names=tuple(called(name) for name in _SOURCE),
            template=NAMED[0],
            templates=NAMED,
            compose=lambda rng, labels: arrangements.on_pattern(rng, plan, things[labels], clutter=clutter),
            shares_classes_with=None if name == "shapes" else "shapes",
        )

    return [one(name, *rest) for name, rest in kinds.items()]
