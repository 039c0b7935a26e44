"""What a run leaves behind: its checkpoints, its final picture and its state."""
import argparse
import glob
import logging
import os
import platform

from . import __version__, colors, images, recipes
from .errors import UsageError
from .options import AROUND, changed
from .state import digest, path_beside, progress_of
from .state import save as save_state

log = logging.getLogger("neural_style")


class Saving:
    """Saves for one run; content is its content picture as the network sees it."""

    def __init__(self, args, content, styles, history=()):
        self.args, self._content, self._pictures = args, content, digest([content, *styles])
        self.history = list(history)        # the Rows so far
        self.checkpoints = args.checkpoint_output or os.path.join(args.output_dir, "e_%s.jpg")
        self.final = args.output or os.path.join(args.output_dir, "final.jpg")
        self.folder, self.state = os.path.dirname(self.final) or ".", path_beside(self.final)

    def prepare(self):
        """Make sure, before a long run, that everything can be saved and nothing else is lost."""
        args = self.args
        if not (args.overwrite or args.resume):
            for flag, pattern in (("--output", args.output), ("--checkpoint-output", args.checkpoint_output)):
                there = sorted(glob.glob(numbered(glob.escape(pattern), "[0-9]*"))) if pattern else []
                if there:
                    raise UsageError(f"{flag}: {there[0]} is there already; name another file, or replace it with "
                                     "--overwrite")
        images.prepare_outputs(self.checkpoints, self.final)
        if not args.resume and self.state.exists():
            epoch, epochs = progress_of(self.state)
            if epoch < epochs:
                log.info("an earlier run here stopped after epoch %d of %d; this one begins anew and replaces it "
                         "(--resume %s would go on with it)", epoch, epochs, self.folder)

    def checkpoint(self, step):
        """Save the step's picture and state; returns the picture's path and the array (1, 3, H, W) that it shows."""
        path, array = numbered(self.checkpoints, step.epoch), step.image.asnumpy()
        self.picture(array, path, self.args.remove_noise, step.epoch)
        self._state(step.state(), False)
        return path, array

    def end(self, image, at, epoch=None):
        """Save the final picture, of an epoch where the run was stopped there, and the State that it is of."""
        self.picture(image.asnumpy(), self.final, self.args.remove_noise_final, epoch)
        self._state(at, finished=epoch is None)

    def picture(self, array, path, remove_noise, epoch=None):
        """Save the array (1, 3, H, W) as a picture of the run's end, or of an epoch before."""
        if self.args.preserve_colors == "luma":
            array = colors.with_colors_of(array, self._content)
        images.SaveImage(array, path, remove_noise, recipe(self.args, epoch, remove_noise))

    def _state(self, state, finished):
        save_state(self.state, self.args, self._pictures, self.history, state, finished)


def numbered(checkpoint, epoch):
    """The path of an epoch's checkpoint: its number in the place of %s in the file's name."""
    folder, name = os.path.split(checkpoint)
    return os.path.join(folder, name.replace("%s", str(epoch)))


def recipe(args, epoch=None, remove_noise=None):
    """The text of the recipe that repeats a picture: the final one of args, or that of an epoch before."""
    args = argparse.Namespace(**vars(args))
    if epoch is not None:
        args.max_num_epochs, args.stop_eps, args.remove_noise_final = epoch, 0.0, remove_noise
    title = f"neural_style {__version__}, Python {platform.python_version()}"
    return recipes.written(changed(args, but=AROUND), title)
