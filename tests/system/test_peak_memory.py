"""Peaks are those of the time since the measurement began, and unknown where the system cannot tell."""

import subprocess
import sys
from pathlib import Path

import pytest

from bmip.system.peak_memory import Peak, PeakMemory

MB = 2**20
HELD = """
from bmip.system.peak_memory import PeakMemory
MB = 2**20

def held(megabytes):
    block = bytearray(megabytes * MB)
    block[::4096] = b"1" * len(block[::4096])

before = PeakMemory()
held(300)
high = before.read().cpu
after = PeakMemory()
held(20)
print(high, after.read().cpu)
"""


def linux_counts_anew() -> bool:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


@pytest.mark.skipif(not linux_counts_anew(), reason="this system does not let a process count its peak anew")
def test_an_earlier_peak_does_not_count() -> None:
    done = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True, timeout=120)
    high, low = map(int, done.stdout.split())
    assert high - low > 200 * MB
    assert low > 20 * MB, "what the process holds anyway counts"


def test_without_counting_anew_a_peak_is_known_only_if_it_grew(tmp_path: Path) -> None:
    (tmp_path / "clear_refs").mkdir()  # so that nothing can be written to it
    status = tmp_path / "status"
    status.write_text("Name:\tpython\nVmPeak:\t  9999 kB\nVmHWM:\t    1000 kB\nVmRSS:\t  800 kB\n")
    memory = PeakMemory(process=tmp_path)
    assert memory.read() == Peak(None, None)
    status.write_text("VmHWM:\t    1001 kB\n")
    assert memory.read() == Peak(1001 * 1024, None)
    status.write_text("Name:\tpython\n")
    assert memory.read() == Peak(None, None)
    assert PeakMemory(process=tmp_path).read() == Peak(None, None)


def test_without_proc_the_peak_since_the_start_is_taken(tmp_path: Path) -> None:
    memory = PeakMemory(process=tmp_path / "none")
    block = bytearray(400 * MB)
    block[::4096] = b"1" * len(block[::4096])
    peak = memory.read().cpu
    assert peak is None or peak > 400 * MB


def test_two_spans_of_time() -> None:
    assert Peak(3, 5).with_other(Peak(4, 2)) == Peak(4, 5)
    assert Peak(3, None).with_other(Peak(None, 2)) == Peak(None, None)
