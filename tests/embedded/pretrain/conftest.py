import pytest

from bmip.embedded.pretrain.start import new_tokenizer


@pytest.fixture(scope="session")
def tokenizer():
    return new_tokenizer(2048, 0, captions=3000)
