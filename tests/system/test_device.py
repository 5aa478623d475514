import pytest
import torch

from bmip.system.device import pick_device


def test_a_device_that_exists() -> None:
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device("cpu:0").type == "cpu"
    assert pick_device().type in ("cpu", "cuda", "mps")


@pytest.mark.parametrize("name", ["cpu:x", "cpu:1", "cpu:", "cpu:-1", "tpu", "", "cuda:99", "CPU"])
def test_a_device_that_does_not(name: str) -> None:
    with pytest.raises(ValueError, match=rf"this machine has no device {name!r}: it has .*cpu"):
        pick_device(name)


def test_as_many_gpus_as_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    assert [pick_device(name) for name in ("auto", "cuda:1")] == [torch.device("cuda"), torch.device("cuda:1")]
    assert not torch.backends.cudnn.allow_tf32, "float32 means float32"
    with pytest.raises(ValueError, match="no device 'cuda:2': it has cpu, cuda"):
        pick_device("cuda:2")
