"""The table of logits beside those of exports."""

from collections.abc import Iterator

import numpy as np
import pytest
from jaxtyping import config

from tools.exported_logits import Compared, compared


@pytest.fixture
def shapes_are_not_checked() -> Iterator[None]:
    """A traced program has any number of images, and reading this number for a check would fix it."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


@pytest.mark.usefixtures("shapes_are_not_checked")
def test_a_method_of_each_kind() -> None:
    plain, shares, refused = compared(["zero_shot", "coop", "cocoop"])
    for one in (plain, shares):
        assert one.exported is not None and one.ours.shape == (7, 6)
        np.testing.assert_allclose(one.exported, one.ours, atol=1e-4)
    assert refused.exported is None and "| refused: cocoop makes the features of the classes anew" in refused.line()


@pytest.mark.parametrize(("theirs", "told"), [(2.0, "0.0e+00"), (2.25, "2.5e-01")])
def test_a_line_shows_the_largest_difference_of_all_images(theirs: float, told: str) -> None:
    ours = np.full((7, 6), 2.0, np.float32)
    exported = ours.copy()
    exported[6, 5] = theirs
    assert Compared("bmip", ours, exported).line() == f"| bmip | 2.00000 2.00000 | 2.00000 2.00000 | {told} |"
