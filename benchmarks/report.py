"""The tables of benchmarks/README.md, rebuilt from the kept results alone."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.contestants import BATCH
from benchmarks.methods import FITS, STEPS
from benchmarks.step import CLASSES, LOOK_AT
from benchmarks.timing import median_ratio

Kept = Mapping[str, Mapping[str, Any]]
PLACES = {"cpu1": "one thread", "cpu2": "two threads", "cuda": "GPU"}
PRECISIONS = ("float32", "bfloat16")


def write(file: Path, device: str, kept: Kept) -> None:
    begin, end = f"<!-- tables {device} -->", f"<!-- end {device} -->"
    text = file.read_text(encoding="utf-8") if file.exists() else "# Benchmarks\n"
    if begin not in text:
        text = f"{text.rstrip()}\n\n{begin}\n{end}\n"
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    file.write_text(f"{before}{begin}\n{tables(device, kept)}{end}{after}", encoding="utf-8")


def tables(device: str, kept: Kept) -> str:
    places = ["cuda"] if device == "cuda" else ["cpu1", "cpu2"]
    parts = [_machine(device, kept)]
    for title, table in (
        ("Targets (float32)", _targets(places, kept)),
        ("Training step, batch 4", _steps(places, kept)),
        ("Evaluation, per 100 images", _evaluation(places, kept)),
        ("CoCoOp: a training step, per image", _cocoop(places[0], kept)),
        ("Each method: a training step at 100 classes, float32", _methods(places[0], device, kept)),
        ("Each head: the fit at 100 classes, float32", _fits(places[0], kept)),
        ("Peak memory of a training step, float32", _memory(places[0], device, kept)),
        ("Does plain need the memory that the released code needs?", _against_released(kept)),
        ("Attention kernels", _attention(places, kept)),
        ("The gate's look at two slots", _looks(places, kept)),
        ("Distance from the golden vectors", _parity(kept)),
        ("Left out", _left_out(kept)),
    ):
        if table:
            parts.append(f"### {title}\n\n{table}")
    return "\n".join(parts)


def _machine(device: str, kept: Kept) -> str:
    lines = []
    for machine in {tuple(cell["machine"].items()) for cell in kept.values()}:
        m = dict(machine)
        gpu = f"{m['gpu']}, " if "gpu" in m else ""
        lines.append(
            f"{gpu}{m['processor']}, {m['cores']} cores, {m['memory']}; torch {m['torch']}, Python {m['python']}, "
            f"{m['system']}."
        )
    loads = [cell["load"] for cell in kept.values()]
    quick = sum(cell["quick"] for cell in kept.values())
    codes = {cell["code"] for cell in kept.values()}
    busy = statistics.median(loads)
    cores = max(int(cell["machine"]["cores"]) for cell in kept.values())
    if busy > 0.8 * cores or max(loads) > 2 * cores:
        lines.append(
            f"**The machine was busy with other work** (load {min(loads):.1f} to {max(loads):.1f}): wall times are too "
            "long and times with two threads mean little; ratios of CPU time with one thread hold."
        )
    else:
        lines.append(f"Load of the machine before each cell: {min(loads):.1f} to {max(loads):.1f}.")
    if quick:
        lines.append(f"{quick} of {len(kept)} cells are from a `--quick` run.")
    if len(codes) > 1:
        lines.append("The cells are from several states of the code; `--fresh` measures all anew.")
    return "## " + ("On a GPU" if device == "cuda" else "On a CPU") + "\n\n" + "  \n".join(lines) + "\n"


# Times are compared by CPU time with one thread, which neighbours disturb least; otherwise by the wall clock.


def _clock(place: str) -> str:
    return "cpu" if place == "cpu1" else "wall"


def _found(kept: Kept, cell: str) -> Mapping[str, Any]:
    found = kept.get(cell, {}).get("found", {})
    return {} if "left out" in found else found


def _median(found: Mapping[str, Any], name: str, clock: str) -> float | None:
    return statistics.median(found[name][clock]) if name in found else None


def _ratio(found: Mapping[str, Any], over: str, under: str, clock: str) -> float | None:
    if over not in found or under not in found:
        return None
    return median_ratio(found[over][clock], found[under][clock])


def _plain_step(kept: Kept, place: str, precision: str, classes: int) -> tuple[float | None, str]:
    """Seconds, and a mark: ~ where they are extrapolated from fewer classes, ' for a single first step."""
    clock = _clock(place)
    found = _found(kept, f"step/{place}/{precision}/{classes}")
    if "plain" in found:
        return _median(found, "plain", clock), ""
    alone = _found(kept, f"memory/{place}/{precision}/{classes}/plain")
    if alone:
        return alone[clock][0], "'"
    fewer = {n: _median(_found(kept, f"step/{place}/{precision}/{n}"), "plain", clock) for n in CLASSES if n < classes}
    return _line({n: seconds for n, seconds in fewer.items() if seconds is not None}, classes), "~"


def _line(points: Mapping[int, float], at: int) -> float | None:
    if len(points) < 2:
        return None
    slope, offset = statistics.linear_regression(list(points), list(points.values()))
    return offset + slope * at if slope > 0 else None  # more classes cannot cost less: what was measured is noise


def _step_figures(kept: Kept, place: str, precision: str, classes: int) -> dict[str, float | None]:
    found, clock = _found(kept, f"step/{place}/{precision}/{classes}"), _clock(place)
    ours, (plain, _) = _median(found, "ours", clock), _plain_step(kept, place, precision, classes)
    look = _ratio(found, "ours", "constant gate", clock)
    return {
        "floor": _ratio(found, "ours", "floor", clock),
        "plain": plain / ours if plain and ours else None,
        "look": None if look is None else 100 * (look - 1),
    }


def _evaluation_texts(found: Mapping[str, Any], who: str, classes: int, clock: str) -> tuple[float | None, str]:
    """Seconds, and ~ where they are extrapolated from fewer classes."""
    measured = _median(found, f"{classes} classes {who}", clock)
    if measured is not None:
        return measured, ""
    fewer = {n: _median(found, f"{n} classes {who}", clock) for n in CLASSES if n < classes}
    return _line({n: seconds for n, seconds in fewer.items() if seconds is not None}, classes), "~"


def _evaluation_seconds(found: Mapping[str, Any], who: str, classes: int, clock: str) -> float | None:
    images, texts = _median(found, f"images {who}", clock), _evaluation_texts(found, who, classes, clock)[0]
    return None if images is None or texts is None else images + texts


def _evaluation_figures(kept: Kept, place: str, precision: str, classes: int) -> dict[str, float | None]:
    found, clock = _found(kept, f"evaluate/{place}/{precision}"), _clock(place)
    ours, bare, plain = (_evaluation_seconds(found, who, classes, clock) for who in ("ours", "bare", "plain"))
    return {"bare": ours / bare if ours and bare else None, "plain": plain / ours if plain and ours else None}


def _plain_peak(kept: Kept, place: str, classes: int) -> tuple[float | None, str]:
    found = _found(kept, f"memory/{place}/float32/{classes}/plain")
    if found:
        return found["peak"], ""
    points = {n: _found(kept, f"memory/{place}/float32/{n}/plain").get("peak") for n in (50, 100, 200)}
    return _line({n: peak for n, peak in points.items() if peak is not None}, classes), "~"


def _memory_share(kept: Kept, place: str) -> float | None:
    ours, (plain, _) = _found(kept, f"memory/{place}/float32/500/ours").get("peak"), _plain_peak(kept, place, 500)
    return ours / plain if ours and plain else None


def _targets(places: Sequence[str], kept: Kept) -> str:
    """One column for each place; memory does not depend on threads."""

    def step(classes: int, figure: str) -> Callable[[str], float | None]:
        return lambda place: _step_figures(kept, place, "float32", classes)[figure]

    def evaluation(classes: int) -> Callable[[str], float | None]:
        return lambda place: _evaluation_figures(kept, place, "float32", classes)["bare"]

    targets: list[tuple[str, Callable[[str], float | None], float, bool, str]] = [
        ("step at 100 classes, in floors: at most 1.5", step(100, "floor"), 1.5, True, "{:.2f}"),
        ("plain step / ours at 100 classes: at least 4.5", step(100, "plain"), 4.5, False, "{:.1f}"),
        ("plain step / ours at 500 classes: at least 8", step(500, "plain"), 8, False, "{:.1f}"),
        *(
            (f"evaluation at {n} classes, in bare passes: at most 1.1", evaluation(n), 1.1, True, "{:.2f}")
            for n in CLASSES
        ),
        (
            "peak memory at 500 classes, in plain ones: at most 0.25",
            lambda place: _memory_share(kept, place) if place == places[0] else None,
            0.25,
            True,
            "{:.2f}",
        ),
        ("what the gate's look adds at 100 classes: at most 5 %", step(100, "look"), 5, True, "{:.1f} %"),
    ]
    rows = []
    for name, value, limit, below, form in targets:
        row = [name]
        for place in places:
            x = value(place)
            met = x is not None and (x <= limit if below else x >= limit)
            row.append("" if x is None else f"{form.format(x)} {'met' if met else '**missed**'}")
        rows.append(row)
    return _table(["target", *(PLACES[place] for place in places)], rows) if any(any(r[1:]) for r in rows) else ""


def _steps(places: Sequence[str], kept: Kept) -> str:
    rows = []
    for place in places:
        for precision in PRECISIONS:
            for classes in CLASSES:
                found = _found(kept, f"step/{place}/{precision}/{classes}")
                if not found:
                    continue
                figures = _step_figures(kept, place, precision, classes)
                plain, mark = _plain_step(kept, place, precision, classes)
                rows.append(
                    [
                        PLACES[place],
                        precision,
                        str(classes),
                        _seconds(found, "ours", place),
                        _seconds(found, "floor", place),
                        _number(figures["floor"], "{:.2f}"),
                        _seconds(found, "plain", place) or _number(plain, mark + "{:.3g}"),
                        _number(figures["plain"], ("~" if mark == "~" else "") + "{:.1f}"),
                        _number(figures["look"], "{:+.1f} %"),
                    ]
                )
    heads = ["", "precision", "classes", "ours", "floor", "ours / floor", "plain", "plain / ours", "the look adds"]
    note = (
        "\nSeconds, median: wall clock (CPU time of the process). A ratio is the median of those of single rounds, so "
        "it may differ from the ratio of two medians; of CPU time with one thread, else of wall clock.\n"
        "' one first step in a process of its own. ~ extrapolated on a line through 10 and 100 classes.\n"
    )
    return _table(heads, rows) + note if rows else ""


def _evaluation(places: Sequence[str], kept: Kept) -> str:
    rows = []
    for place in places:
        for precision in PRECISIONS:
            found = _found(kept, f"evaluate/{place}/{precision}")
            for classes in CLASSES if found else ():
                figures = _evaluation_figures(kept, place, precision, classes)
                sides = []
                for who in ("ours", "bare", "plain"):
                    texts, mark = _evaluation_texts(found, who, classes, _clock(place))
                    images = _number(_median(found, f"images {who}", _clock(place)), "{:.3g}")
                    sides.append(f"{images} + {_number(texts, mark + '{:.2g}')}")
                ratios = [_number(figures["bare"], "{:.2f}"), _number(figures["plain"], "{:.1f}")]
                rows.append([PLACES[place], precision, str(classes), *sides, *ratios])
    note = (
        "\nSeconds for the images + for the class texts (CPU time with one thread, else wall clock), on batches of 25 "
        "images scaled to 100.\nPlain encodes the texts again for every 100 images, ours and bare once per class list: "
        "with more images the ratio grows.\n"
    )
    heads = ["", "precision", "classes", "ours", "bare towers", "plain", "ours / bare", "plain / ours"]
    return _table(heads, rows) + note if rows else ""


def _cocoop(place: str, kept: Kept) -> str:
    found, clock = _found(kept, f"cocoop/{place}/float32/{LOOK_AT}"), _clock(place)
    ours, plain = _median(found, "ours", clock), _median(found, "plain", clock)
    if ours is None or plain is None:
        return ""
    each = ours / BATCH
    return (
        _table(
            ("classes", "ours, batch 4", "plain, batch 1", "plain / ours: at least 8"),
            [(str(LOOK_AT), f"{each:.3g} s", f"{plain:.3g} s", f"{plain / each:.1f}")],
        )
        + "\nSeconds for one image (CPU time with one thread, else wall clock).\n"
    )


def _methods(place: str, device: str, kept: Kept) -> str:
    rows = []
    for name in STEPS:
        found = _found(kept, f"methods/{place}/float32/{LOOK_AT}/{name}")
        if found:
            rows.append(
                [
                    name,
                    f"{found['trained']:,}",
                    _seconds(found, "step", place),
                    _number(_ratio(found, "step", "floor", _clock(place)), "{:.2f}"),
                    f"{found['peak'] / 1e9:.2f} GB",
                ]
            )
    memory = "that torch took on the GPU" if device == "cuda" else "resident memory of the process, backbone included"
    note = (
        f"\nDefault presets, batch 4, all losses of the method, and Adam. Seconds as above. Peak memory: {memory}. A "
        "method\nthat compares with the frozen CLIP runs that on the images in every step, and on the classes once.\n"
    )
    return _table(["method", "trained values", "step", "step / floor", "peak memory"], rows) + note if rows else ""


def _fits(place: str, kept: Kept) -> str:
    rows = []
    for name in FITS:
        found = _found(kept, f"methods/{place}/float32/{LOOK_AT}/{name}")
        if found:
            rows.append([name, _seconds(found, "fit", place), f"{found['peak'] / 1e9:.2f} GB"])
    note = (
        "\nNo step trains these heads: `fit` is all of their training but the features of the images, which the frozen "
        "image tower\nmakes once. It is measured on drawn features, 16 of each class to fit and 4 to choose on.\n"
    )
    return _table(["method", "fit", "peak memory"], rows) + note if rows else ""


def _memory(place: str, device: str, kept: Kept) -> str:
    rows = []
    for classes in (50, 100, 200, 500):
        ours = _found(kept, f"memory/{place}/float32/{classes}/ours").get("peak")
        plain, mark = _plain_peak(kept, place, classes)
        if ours or (plain and mark != "~"):
            share = ours / plain if ours and plain else None
            rows.append(
                [
                    str(classes),
                    _number(ours and ours / 1e9, "{:.2f} GB"),
                    _number(plain and plain / 1e9, mark + "{:.2f} GB"),
                    _number(share, "{:.2f}"),
                ]
            )
    what = "Memory torch took on the GPU" if device == "cuda" else "Resident memory of the process, backbone included"
    note = f"\n{what}. ~ extrapolated on a line through 50, 100 and 200 classes, where those were measured.\n"
    return _table(["classes", "ours", "plain", "ours / plain"], rows) + note if rows else ""


RELEASED_PEAK = {50: 3.4, 100: 5.1}
"""Peak memory of the released code's step in GB (torch 2.13, float32, ViT-B/16, batch 4); it hardly depends on the
machine, as times do."""


def _against_released(kept: Kept) -> str:
    rows = []
    for n, gigabytes in RELEASED_PEAK.items():
        if peak := _found(kept, f"memory/cpu1/float32/{n}/plain").get("peak"):
            rows.append([str(n), f"{peak / 1e9:.3g} GB", f"{gigabytes} GB", f"{peak / 1e9 / gigabytes:.2f}"])
    note = "\nThe released code was measured once, on another machine. Times are compared above, before these tables.\n"
    return _table(["classes", "plain", "released code", "ratio"], rows) + note if rows else ""


def _attention(places: Sequence[str], kept: Kept) -> str:
    tables = _races("attention", places, kept)
    return tables and (
        "Milliseconds (CPU time with one thread, else wall clock); the fastest in bold. `wide softmax` keeps the "
        f"attention in float32 beside its 16-bit copy.\n\n{tables}"
    )


def _looks(places: Sequence[str], kept: Kept) -> str:
    tables = _races("look", places, kept)
    return tables and (
        "Milliseconds, forward. `fused` mixes values that point at the slots; the others make the attention, of the "
        f"whole batch or of one image after the other.\n\n{tables}"
    )


def _races(what: str, places: Sequence[str], kept: Kept) -> str:
    out = []
    for place in places:
        for precision in PRECISIONS:
            found = _found(kept, f"{what}/{place}/{precision}")
            if not found:
                continue
            kernels = list(next(iter(found.values())))
            rows: dict[str, list[str]] = {}
            for name, times in found.items():
                shape = name.rsplit(", ", 1)[0]
                cells = [times[kernel][_clock(place)] for kernel in kernels]
                rows.setdefault(shape, []).extend(f"**{t:.2f}**" if t == min(cells) else f"{t:.2f}" for t in cells)
            both = any(name.endswith("backward") for name in found)
            heads = ["heads, batch, tokens", *kernels, *(f"{kernel}, with backward" for kernel in kernels if both)]
            out.append(f"{PLACES[place]}, {precision}:\n\n" + _table(heads, [[k, *v] for k, v in rows.items()]))
    return "\n".join(out)


def _parity(kept: Kept) -> str:
    found = next((_found(kept, cell) for cell in kept if cell.startswith("parity/")), {})
    rows = [[name, *(f"{far[key]:.1e}" for key in ("logits", "loss", "gradient"))] for name, far in found.items()]
    note = "\nTolerances: logits 2e-4, loss 1e-4, gradient norms 2e-4 of themselves.\n"
    return _table(["case", "logits", "loss", "gradients"], rows) + note if rows else ""


def _left_out(kept: Kept) -> str:
    lines = [f"- `{c}`: {k['found']['left out']}" for c, k in sorted(kept.items()) if "left out" in k["found"]]
    return "\n".join(lines) + "\n" if lines else ""


def _seconds(found: Mapping[str, Any], name: str, place: str) -> str:
    wall, cpu = _median(found, name, "wall"), _median(found, name, "cpu")
    if wall is None:
        return ""
    return f"{wall:.3g}" if place == "cuda" else f"{wall:.3g} ({cpu:.3g})"


def _number(x: float | None, form: str) -> str:
    return "" if x is None else form.format(x)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
