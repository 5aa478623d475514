"""The world's shapes, drawn from polygons, ellipses and strokes as signed distances."""

from collections.abc import Callable

from bmip.embedded.world.distance import (
    Field,
    arc,
    box,
    cut,
    ellipse,
    meet,
    mirror,
    polygon,
    regular,
    star,
    stroke,
    union,
)


def _arrow() -> Field:
    return polygon([(-0.95, -0.24), (0.1, -0.24), (0.1, -0.68), (0.95, 0), (0.1, 0.68), (0.1, 0.24), (-0.95, 0.24)])


def _heart() -> Field:
    lobes = union(ellipse(-0.43, -0.3, 0.48), ellipse(0.43, -0.3, 0.48))
    return union(lobes, polygon([(-0.84, -0.06), (0, -0.32), (0.84, -0.06), (0, 0.9)]))


def _lightning() -> Field:
    return polygon([(0.2, -1), (-0.6, 0.12), (-0.08, 0.12), (-0.35, 1), (0.6, -0.22), (0.08, -0.22), (0.5, -1)])


def _cloud() -> Field:
    puffs = [ellipse(x, y, r) for x, y, r in ((-0.55, 0.15, 0.4), (-0.1, -0.15, 0.5), (0.5, 0.1, 0.42))]
    return union(*puffs, box(-0.6, 0.1, 0.55, 0.52))


def _drop() -> Field:
    return union(ellipse(0, 0.35, 0.6), polygon([(0, -1), (0.53, 0.08), (-0.53, 0.08)]))


def _leaf() -> Field:
    blade = meet(ellipse(-0.55, -0.1, 1.05), ellipse(0.55, -0.1, 1.05))
    return union(cut(blade, stroke([(0, -0.6), (0, 0.6)], 0.05)), stroke([(0, 0.6), (0.05, 1.0)], 0.08))


def _tree() -> Field:
    tiers = [polygon([(0, top), (w, low), (-w, low)]) for top, w, low in ((-1, 0.45, -0.4), (-0.7, 0.6, 0.1))]
    return union(*tiers, polygon([(0, -0.35), (0.75, 0.62), (-0.75, 0.62)]), box(-0.14, 0.6, 0.14, 1))


def _flower() -> Field:
    petals = [ellipse(x, y, 0.36) for x, y in regular(6, radius=0.6)]
    return cut(union(*petals, ellipse(0, 0, 0.4)), cut(ellipse(0, 0, 0.3), ellipse(0, 0, 0.18)))


def _mushroom() -> Field:
    cap = meet(ellipse(0, 0, 0.95, 0.9), box(-1, -1, 1, 0.08))
    return union(cap, polygon([(-0.24, 0), (0.24, 0), (0.34, 0.9), (-0.34, 0.9)]))


def _house() -> Field:
    walls = union(polygon([(0, -0.95), (0.95, -0.1), (-0.95, -0.1)]), box(-0.7, -0.15, 0.7, 0.85))
    return cut(walls, box(-0.18, 0.3, 0.18, 0.9), box(-0.55, 0.02, -0.28, 0.28), box(0.28, 0.02, 0.55, 0.28))


def _fish() -> Field:
    body = union(ellipse(-0.2, 0, 0.74, 0.45), polygon([(0.35, 0), (0.98, -0.5), (0.8, 0), (0.98, 0.5)]))
    return cut(union(body, polygon([(-0.4, -0.38), (0.15, -0.72), (0.15, -0.3)])), ellipse(-0.6, -0.1, 0.09))


def _bird() -> Field:
    body = union(ellipse(0.05, 0.2, 0.6, 0.38, turn=-12), ellipse(-0.5, -0.28, 0.3))
    extras = (
        polygon([(-0.74, -0.4), (-1.05, -0.18), (-0.74, -0.12)]),
        polygon([(0.45, 0.1), (1.0, -0.3), (0.9, 0.25)]),
    )
    legs = union(stroke([(-0.05, 0.5), (-0.05, 0.92)], 0.06), stroke([(0.2, 0.5), (0.2, 0.92)], 0.06))
    return cut(union(body, *extras, legs), ellipse(-0.55, -0.35, 0.07))


def _boat() -> Field:
    hull = polygon([(-0.95, 0.4), (0.95, 0.4), (0.6, 0.9), (-0.6, 0.9)])
    sails = union(
        polygon([(0.08, -0.95), (0.75, 0.22), (0.08, 0.22)]), polygon([(-0.1, -0.7), (-0.1, 0.22), (-0.65, 0.22)])
    )
    return union(hull, sails, stroke([(0, -0.95), (0, 0.4)], 0.06))


def _rocket() -> Field:
    body = meet(ellipse(-0.6, 0.05, 0.98, 1.15), ellipse(0.6, 0.05, 0.98, 1.15), box(-1, -1, 1, 0.65))
    fins = union(polygon([(-0.3, 0.1), (-0.75, 0.85), (-0.25, 0.6)]), polygon([(0.3, 0.1), (0.75, 0.85), (0.25, 0.6)]))
    return cut(union(body, fins, polygon([(-0.15, 0.6), (0.15, 0.6), (0, 1)])), ellipse(0, -0.2, 0.15))


def _key() -> Field:
    ring = cut(ellipse(-0.55, 0, 0.42), ellipse(-0.55, 0, 0.2))
    return union(ring, box(-0.2, -0.12, 0.95, 0.12), box(0.45, 0, 0.6, 0.42), box(0.78, 0, 0.95, 0.36))


def _gear() -> Field:
    teeth = [stroke([(0.5 * x, 0.5 * y), (0.84 * x, 0.84 * y)], 0.14) for x, y in regular(8)]
    return cut(union(ellipse(0, 0, 0.7), *teeth), ellipse(0, 0, 0.3))


def _umbrella() -> Field:
    canopy = meet(ellipse(0, 0.05, 0.97, 0.95), box(-1, -1, 1, 0.05))
    scallops = [ellipse(x, 0.1, 0.17, 0.14) for x in (-0.66, -0.24, 0.24, 0.66)]
    handle = stroke([(0, 0), (0, 0.72), *arc(0.18, 0.72, 0.18, 0.18, 180, 20)], 0.08)
    return union(cut(canopy, *scallops), handle, stroke([(0, -0.9), (0, -0.98)], 0.05))


def _cup() -> Field:
    handle = cut(ellipse(0.55, 0, 0.4), ellipse(0.55, 0, 0.22))
    return union(polygon([(-0.8, -0.65), (0.5, -0.65), (0.42, 0.7), (-0.72, 0.7)]), handle)


def _bottle() -> Field:
    return polygon(mirror([(0.16, -1), (0.16, -0.5), (0.42, -0.2), (0.42, 0.95)]))


def _bell() -> Field:
    dome = polygon(mirror([(0.1, -0.85), (0.38, -0.65), (0.48, 0.1), (0.85, 0.55)]))
    return union(dome, ellipse(0, 0.72, 0.2), ellipse(0, -0.85, 0.13))


def _crown() -> Field:
    points = [(-0.9, -0.55), (-0.42, 0.05), (0, -0.75), (0.42, 0.05), (0.9, -0.55), (0.72, 0.7), (-0.72, 0.7)]
    return union(polygon(points), ellipse(-0.9, -0.6, 0.1), ellipse(0, -0.8, 0.1), ellipse(0.9, -0.6, 0.1))


def _anchor() -> Field:
    flukes = stroke(arc(0, 0.1, 0.72, 0.75, 10, 170), 0.11)
    tips = union(
        polygon([(0.5, 0.3), (0.98, 0.3), (0.82, -0.12)]), polygon([(-0.5, 0.3), (-0.98, 0.3), (-0.82, -0.12)])
    )
    ring = cut(ellipse(0, -0.75, 0.24), ellipse(0, -0.75, 0.1))
    return union(flukes, tips, ring, stroke([(0, -0.5), (0, 0.85)], 0.1), stroke([(-0.4, -0.32), (0.4, -0.32)], 0.09))


def _flag() -> Field:
    return union(stroke([(-0.7, -0.9), (-0.7, 0.95)], 0.08), polygon([(-0.65, -0.9), (0.9, -0.4), (-0.65, 0.1)]))


def _spiral() -> Field:
    turns = [point for k in range(5) for point in arc(0, 0, 0.12 + 0.19 * k, 0.12 + 0.19 * k, 180 * k, 180 * k + 180)]
    return stroke([(x + (0.095 if k // 16 % 2 else -0.095), y) for k, (x, y) in enumerate(turns)], 0.09)


def _hammer() -> Field:
    head = union(box(-0.62, -0.85, 0.5, -0.35), polygon([(0.45, -0.85), (0.9, -0.45), (0.45, -0.4)]))
    return union(head, box(-0.15, -0.4, 0.13, 0.98))


def _apple() -> Field:
    halves = union(ellipse(-0.3, 0.15, 0.55, 0.68), ellipse(0.3, 0.15, 0.55, 0.68))
    return union(halves, stroke([(0, -0.35), (0.08, -0.75)], 0.07), ellipse(0.36, -0.74, 0.3, 0.14, turn=-25))


def _cat() -> Field:
    ears = union(polygon([(-0.75, -0.95), (-0.12, -0.5), (-0.7, 0)]), polygon([(0.75, -0.95), (0.12, -0.5), (0.7, 0)]))
    face = union(ellipse(0, 0.15, 0.78, 0.68), ears)
    return cut(face, ellipse(-0.3, 0.02, 0.12), ellipse(0.3, 0.02, 0.12), polygon([(-0.1, 0.3), (0.1, 0.3), (0, 0.42)]))


def _rabbit() -> Field:
    ears = union(ellipse(-0.3, -0.55, 0.17, 0.45, turn=-8), ellipse(0.3, -0.55, 0.17, 0.45, turn=8))
    return cut(union(ears, ellipse(0, 0.38, 0.62, 0.56)), ellipse(-0.24, 0.26, 0.1), ellipse(0.24, 0.26, 0.1))


def _butterfly() -> Field:
    wings = [ellipse(side * 0.5, -0.35, 0.52, 0.4, turn=side * -35) for side in (-1, 1)]
    lower = [ellipse(side * 0.42, 0.42, 0.38, 0.32, turn=side * 35) for side in (-1, 1)]
    feelers = [stroke([(0, -0.5), (side * 0.22, -0.95)], 0.04) for side in (-1, 1)]
    return union(*wings, *lower, *feelers, ellipse(0, 0, 0.1, 0.65))


def _snowman() -> Field:
    balls = union(ellipse(0, 0.5, 0.5), ellipse(0, -0.15, 0.36), ellipse(0, -0.62, 0.25))
    hat = union(box(-0.34, -0.84, 0.34, -0.74), box(-0.2, -1, 0.2, -0.78))
    arms = union(stroke([(-0.3, -0.15), (-0.8, -0.4)], 0.05), stroke([(0.3, -0.15), (0.8, -0.4)], 0.05))
    return union(balls, hat, arms)


def _car() -> Field:
    cabin = [
        (-0.95, 0.4),
        (-0.95, 0),
        (-0.6, -0.08),
        (-0.35, -0.5),
        (0.35, -0.5),
        (0.6, -0.08),
        (0.95, 0.02),
        (0.95, 0.4),
    ]
    windows = polygon([(-0.4, -0.08), (-0.25, -0.36), (-0.05, -0.36), (-0.05, -0.08)])
    more = polygon([(0.07, -0.08), (0.07, -0.36), (0.26, -0.36), (0.4, -0.08)])
    return union(cut(polygon(cabin), windows, more), ellipse(-0.5, 0.42, 0.23), ellipse(0.5, 0.42, 0.23))


def _bulb() -> Field:
    glass = union(ellipse(0, -0.3, 0.64), polygon([(-0.5, 0.08), (0.5, 0.08), (0.26, 0.5), (-0.26, 0.5)]))
    screw = [stroke([(-0.2, y), (0.2, y)], 0.07) for y in (0.62, 0.8)]
    return union(glass, *screw)


def _clover() -> Field:
    leaves = union(*(ellipse(x, y, 0.37) for x, y in ((0, -0.55), (-0.5, 0.12), (0.5, 0.12))))
    return union(leaves, ellipse(0, -0.05, 0.25), polygon([(-0.06, 0), (0.06, 0), (0.25, 0.95), (-0.25, 0.95)]))


def _spade() -> Field:
    lobes = union(
        ellipse(-0.4, 0.15, 0.44), ellipse(0.4, 0.15, 0.44), polygon([(0, -1), (0.76, -0.08), (-0.76, -0.08)])
    )
    return union(lobes, polygon([(-0.05, 0), (0.05, 0), (0.3, 0.95), (-0.3, 0.95)]))


def _candle() -> Field:
    flame = union(ellipse(0, -0.6, 0.18), polygon([(0, -1), (0.16, -0.68), (-0.16, -0.68)]))
    return union(
        flame, stroke([(0, -0.35), (0, -0.2)], 0.04), box(-0.28, -0.22, 0.28, 0.75), box(-0.6, 0.72, 0.6, 0.92)
    )


def _cactus() -> Field:
    arms = union(
        stroke([(0, 0.25), (-0.55, 0.25), (-0.55, -0.3)], 0.16), stroke([(0, 0.0), (0.55, 0.0), (0.55, -0.5)], 0.16)
    )
    return union(stroke([(0, -0.75), (0, 0.8)], 0.22), arms)


def _ladder() -> Field:
    rails = [stroke([(x, -0.92), (x, 0.92)], 0.08) for x in (-0.38, 0.38)]
    return union(*rails, *(stroke([(-0.38, y), (0.38, y)], 0.07) for y in (-0.66, -0.22, 0.22, 0.66)))


def _snake() -> Field:
    wave = [*arc(-0.5, 0, 0.27, 0.5, 180, 0)[::1], *arc(0.04, 0, 0.27, 0.5, 180, 0)[:, :] * (1, -1)]
    return union(stroke([*wave, (0.5, -0.4), (0.72, -0.55)], 0.13), ellipse(0.74, -0.55, 0.24, 0.18))


def _envelope() -> Field:
    return cut(box(-0.95, -0.62, 0.95, 0.62), stroke([(-0.88, -0.52), (0, 0.12), (0.88, -0.52)], 0.055))


def _fork() -> Field:
    tines = [stroke([(x, -0.9), (x, -0.35)], 0.075) for x in (-0.3, 0, 0.3)]
    return union(*tines, stroke(arc(0, -0.35, 0.3, 0.3, 0, 180), 0.08), stroke([(0, -0.1), (0, 0.92)], 0.1))


def _ghost() -> Field:
    body = union(
        ellipse(0, -0.2, 0.68, 0.72), box(-0.68, -0.2, 0.68, 0.75), *(ellipse(x, 0.75, 0.2) for x in (-0.46, 0, 0.46))
    )
    return cut(body, ellipse(-0.25, -0.25, 0.13, 0.18), ellipse(0.25, -0.25, 0.13, 0.18))


def _glasses() -> Field:
    rims = [cut(ellipse(x, 0, 0.42), ellipse(x, 0, 0.27)) for x in (-0.5, 0.5)]
    return union(*rims, stroke([(-0.1, -0.05), (0.1, -0.05)], 0.08))


DRAWINGS: dict[str, Callable[[], Field]] = {
    "circle": lambda: ellipse(0, 0, 0.9),
    "square": lambda: box(-0.75, -0.75, 0.75, 0.75),
    "triangle": lambda: polygon([(0, -0.85), (0.92, 0.7), (-0.92, 0.7)]),
    "star": lambda: polygon(star(5, 0.42)),
    "heart": _heart,
    "arrow": _arrow,
    "cross": lambda: union(box(-0.28, -0.9, 0.28, 0.9), box(-0.9, -0.28, 0.9, 0.28)),
    "ring": lambda: cut(ellipse(0, 0, 0.92), ellipse(0, 0, 0.52)),
    "house": _house,
    "tree": _tree,
    "flower": _flower,
    "fish": _fish,
    "diamond": lambda: polygon([(0, -1), (0.68, 0), (0, 1), (-0.68, 0)]),
    "moon": lambda: cut(ellipse(-0.05, 0, 0.92), ellipse(0.4, -0.12, 0.75)),
    "sun": lambda: polygon(star(12, 0.66)),
    "cloud": _cloud,
    "lightning": _lightning,
    "car": _car,
    "boat": _boat,
    "bird": _bird,
    "cat": _cat,
    "hexagon": lambda: polygon(regular(6, radius=0.95)),
    "pentagon": lambda: polygon(regular(5, radius=0.97)),
    "octagon": lambda: polygon(regular(8, radius=0.97, turn=22.5)),
    "oval": lambda: ellipse(0, 0, 0.95, 0.55),
    "rectangle": lambda: box(-0.95, -0.48, 0.95, 0.48),
    "apple": _apple,
    "mushroom": _mushroom,
    "leaf": _leaf,
    "drop": _drop,
    "key": _key,
    "cup": _cup,
    "crown": _crown,
    "flag": _flag,
    "rocket": _rocket,
    "gear": _gear,
    "umbrella": _umbrella,
    "bottle": _bottle,
    "hourglass": lambda: polygon([(-0.68, -0.9), (0.68, -0.9), (0.1, 0), (0.68, 0.9), (-0.68, 0.9), (-0.1, 0)]),
    "bow": lambda: union(polygon([(-0.95, -0.6), (0.95, 0.6), (0.95, -0.6), (-0.95, 0.6)]), ellipse(0, 0, 0.2)),
    "spiral": _spiral,
    "chevron": lambda: polygon([(0, -0.7), (0.95, 0.2), (0.95, 0.75), (0, -0.1), (-0.95, 0.75), (-0.95, 0.2)]),
    "semicircle": lambda: meet(ellipse(0, 0.45, 0.97), box(-1, -1, 1, 0.45)),
    "frame": lambda: cut(box(-0.82, -0.82, 0.82, 0.82), box(-0.45, -0.45, 0.45, 0.45)),
    "hammer": _hammer,
    "butterfly": _butterfly,
    "snowman": _snowman,
    "bulb": _bulb,
    "candle": _candle,
    "envelope": _envelope,
    "ghost": _ghost,
    "spade": _spade,
    "anchor": _anchor,
    "bell": _bell,
    "cactus": _cactus,
    "clover": _clover,
    "fork": _fork,
    "glasses": _glasses,
    "ladder": _ladder,
    "rabbit": _rabbit,
    "snake": _snake,
}
"""Name -> drawing, frequent ones first; the order is part of the world."""
