import json
import platform
import re
from pathlib import Path

import pytest
import torch

from bmip.system.environment import environment


def test_it_says_what_a_result_depends_on() -> None:
    found = environment()
    assert found["torch"] == torch.__version__
    assert (found["device"], found["gpu"], found["threads"]) == ("cpu", None, torch.get_num_threads())
    assert found["processor"] and found["cores"] >= 1
    assert json.loads(json.dumps(found)) == found


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="no Linux")
def test_the_memory_is_that_of_the_machine() -> None:
    (kilobytes,) = re.findall(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    assert environment()["memory"] == 1024 * int(kilobytes)


def test_it_names_neither_host_nor_folder() -> None:
    found = environment()
    assert platform.node() not in found.values()
    assert str(Path.home()) not in json.dumps(found)
