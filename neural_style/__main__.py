"""python -m neural_style: the same command as python -m neural_style.nstyle."""

import sys

from .nstyle import main

if __name__ == "__main__":
    sys.exit(main())
