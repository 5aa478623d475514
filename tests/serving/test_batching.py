"""The thread that works on the items of many requests."""

import subprocess
import sys

import pytest

from bmip.serving.batching import Lane

ENDS_AT_WORK = """
import time
import torch
from bmip.serving.batching import Lane

begun = []

def work(items):
    begun.append(True)
    stop = time.monotonic() + 1
    while time.monotonic() < stop:
        torch.ones(64, 64) @ torch.ones(64, 64)
    return items

lane = Lane(work, 1)
future, waiting = lane.submit([1, 2])
while not begun:
    time.sleep(0.01)
lane.close()
assert future.result(0) == 1 and waiting.cancelled()
print("ended")
"""


def test_a_process_that_ends_during_work_is_not_aborted() -> None:
    """A thread that comes back from C++ code while the interpreter ends aborts the process."""
    done = subprocess.run([sys.executable, "-c", ENDS_AT_WORK], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ended\n", "")


def test_a_closed_lane_takes_nothing() -> None:
    lane = Lane(list, 1)
    lane.close()
    with pytest.raises(RuntimeError, match="closed"):
        lane.submit([1])
