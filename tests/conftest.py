"""Every test process computes on one thread: pytest runs one more than the two processors that CI has."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # for commands that tests start

import torch
from hypothesis import HealthCheck, settings

settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # no test is timed
settings.load_profile("here")
torch.set_num_threads(1)
