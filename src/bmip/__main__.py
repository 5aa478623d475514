"""`python -m bmip` is the command `bmip`."""

import sys

from bmip.cli import main

if __name__ == "__main__":
    sys.exit(main())
