"""Every test process computes on one thread: pytest runs one more than the two processors that CI has.

Each has a cache of its own, which ends with it: nothing is written to the user's, and nothing found there.
"""

import atexit
import os
import shutil
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")  # this and the cache are for commands that tests start, too
os.environ["BMIP_CACHE"] = tempfile.mkdtemp(prefix="bmip-cache-")

import torch
from hypothesis import HealthCheck, settings

settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # no test is timed
settings.load_profile("here")
torch.set_num_threads(1)
atexit.register(shutil.rmtree, os.environ["BMIP_CACHE"], ignore_errors=True)
