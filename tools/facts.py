"""Writes the files of facts anew from the code, which the command line reads instead: `python -m tools.facts`.

They are src/bmip/experiments/method_facts.json and src/bmip/data/embedded_sets.json.
"""

from dataclasses import asdict, replace

from bmip.clip.loading.backbones import EMBEDDED
from bmip.data import embedded_sets
from bmip.data.embedded_sets import EmbeddedSet
from bmip.data.sources import digits
from bmip.embedded.scenes.datasets import load_scenes, scene_names
from bmip.experiments import method_facts
from bmip.experiments.method_facts import MethodFacts, from_code, to_json
from bmip.experiments.parameter_counts import trainable_parameters
from bmip.experiments.presets import SEARCHED, read_presets
from bmip.methods import combination_names, method_names
from bmip.system.files import write_json


def methods() -> list[MethodFacts]:
    """The facts about every method of the package and every combination with settings of its own, from their code."""
    searched, found = read_presets(SEARCHED), []
    for name in (*method_names(), *combination_names()):
        facts = from_code(name)
        presets = {**facts.presets, **({EMBEDDED: searched[name]} if name in searched else {})}
        counts: dict[str, int] = {}
        for preset, value in presets.items():
            counts[preset] = trainable_parameters(name, value.options)
            own = {data: trainable_parameters(name, value.on(data).options) for data in value.by_data}
            counts |= {f"{preset} on {data}": count for data, count in own.items() if count != counts[preset]}
        found.append(replace(facts, trainable=counts))
    return found


def data_sets() -> list[EmbeddedSet]:
    """The facts about every data set that comes with the package, from their code."""
    about = "handwritten digits of people (scikit-learn), 8 x 8 pixels"
    scenes = map(load_scenes, scene_names())
    return [
        EmbeddedSet("digits", len(digits.NAMES), digits.TEMPLATE, about),
        *(EmbeddedSet(one.name, len(one.class_names), one.template, one.about, one.like) for one in scenes),
    ]


if __name__ == "__main__":
    write_json(method_facts.FILE, [to_json(facts) for facts in methods()])
    write_json(embedded_sets.FILE, [asdict(facts) for facts in data_sets()])
