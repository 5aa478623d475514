"""Every test process computes on one thread: pytest runs as many processes as there are processors."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # for commands that tests start

import torch

torch.set_num_threads(1)
