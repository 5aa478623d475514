"""The files of facts that the command line reads say what the code says; `python -m tools.facts` writes them anew."""

from bmip.data.embedded_sets import embedded_sets
from bmip.data.names import embedded_names
from bmip.experiments.method_facts import from_code, known_methods, method_facts
from tools import facts


def test_methods() -> None:
    assert list(known_methods()) == facts.methods()


def test_embedded_data_sets() -> None:
    assert list(embedded_sets().values()) == facts.data_sets()
    assert tuple(embedded_sets()) == embedded_names()


def test_other_methods_and_combinations_are_imported() -> None:
    assert method_facts("maple + promptsrc") == from_code("maple+promptsrc")
    assert method_facts("tests.training.regularised").name == "tests.training.regularised"
