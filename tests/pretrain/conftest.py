import pytest

from bmip.pretrain.start import new_tokenizer


@pytest.fixture(scope="session")
def tokenizer():
    return new_tokenizer(2048, 0, captions=3000)
