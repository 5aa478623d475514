import pytest

from bmip.embedded.pretrain.start import new_tokenizer


@pytest.fixture(scope="session")
def tokenizer():
    return new_tokenizer(4096, 0, count=6000)
