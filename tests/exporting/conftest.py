from collections.abc import Iterator

import pytest
from jaxtyping import config


@pytest.fixture(autouse=True, scope="package")
def shapes_are_not_checked() -> Iterator[None]:
    """A traced program has any number of images, and reading this number for a check would fix it."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)
