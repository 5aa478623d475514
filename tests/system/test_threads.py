import pytest
import torch

from bmip.system.threads import threads


def test_the_number_of_threads_is_as_before_whatever_happens() -> None:
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    with pytest.raises(InterruptedError), threads(before + 2):
        raise InterruptedError
    assert torch.get_num_threads() == before
