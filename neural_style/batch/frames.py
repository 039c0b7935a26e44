"""Frames that follow each other, in a batch or a film: the first of each scene is painted for longer."""

from argparse import Namespace

from ..options.flags import AT_LEAST_ONE, Flag

FIRST = 7  # times as many epochs for the first frame of a scene: all others start from a painted one
# fmt: off
FIRST_EPOCHS = Flag("--first-epochs", int, None, "the epochs of the first frame of each scene of a film or --sequence "
                    "in a style (seven times --max-num-epochs)", AT_LEAST_ONE)
# fmt: on


def first_epochs(own: Namespace, args: Namespace) -> int:
    """The number of epochs for the first frame of each scene."""
    return own.first_epochs or FIRST * args.max_num_epochs
