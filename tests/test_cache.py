"""No test writes to the user's cache."""

import subprocess
import sys
import tempfile
from pathlib import Path

from bmip.system.files import cache_folder


def test_the_cache_of_tests_and_of_their_commands_is_a_temporary_folder() -> None:
    code = "from bmip.system.files import cache_folder; print(cache_folder())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300).stdout
    assert told == f"{cache_folder()}\n"
    assert Path(tempfile.gettempdir()) in cache_folder().parents
