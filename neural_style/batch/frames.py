"""Frames that follow each other, in a batch or a film: the first of each scene is painted for longer."""

import os
from argparse import Namespace
from typing import Any, Dict

from ..options.flags import AT_LEAST_ONE, Flag

FIRST = 7  # times as many epochs for the first frame of a scene: all others start from a painted one
# fmt: off
FIRST_EPOCHS = Flag("--first-epochs", int, None, "the epochs of the first frame of each scene of a film or --sequence "
                    "in a style (seven times --max-num-epochs)", AT_LEAST_ONE)
# fmt: on


def first_epochs(own: Namespace, args: Namespace) -> int:
    """The number of epochs for the first frame of each scene."""
    return own.first_epochs or FIRST * args.max_num_epochs


def run_of(args: Namespace, first: int, output: str, **more: Any) -> Dict[str, Any]:
    """The arguments of the run that paints one picture or frame, `first` epochs at most, and leaves no checkpoints."""
    fixed = {"seed": args.seed or 0, "save_epochs": max(args.max_num_epochs, first) + 1, "overwrite": True}
    return {**vars(args), **fixed, "output": output, "checkpoint_output": "_e%s".join(os.path.splitext(output)), **more}
