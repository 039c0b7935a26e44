"""What the loop costs an epoch beside the evaluation of the network, which a stub stands for: microseconds.

    python benchmarks/loop.py [WIDTHxHEIGHT] [--epochs 60]

for each optimiser, with MXNet's arrays, and with PyTorch's where it is installed; on a GPU if there is one. The loop
has total variation, clipping and the measure of change; the time that the stub takes itself is subtracted.
"""

import argparse
import time
from argparse import Namespace

import numpy as np

from neural_style.find_mxnet import context
from neural_style.objective.arrays import Arrays
from neural_style.objective.image_terms import image_terms
from neural_style.objective.objective import Objective
from neural_style.objective.terms import Term
from neural_style.options.check import complete
from neural_style.pytorch import device
from neural_style.run import optimize

LOOPS = {
    "nag": {},
    "adam": {"optimizer": "adam", "lr": 1.0},
    "lbfgs in frequencies": {"optimizer": "lbfgs", "coordinates": "frequencies"},
}
TERMS = [Term("style", f"relu{block}_1", 1, None) for block in range(1, 6)] + [Term("content", "relu4_2", 1, None)]


class Stub:
    """An engine whose value is half the sum of curvature·image², shared out among the terms."""

    patches = ()

    def __init__(self, arrays, shape):
        self.arrays, self.seconds = arrays, 0.0
        self._curvature = arrays.of(np.random.RandomState(1).uniform(0.1, 10, shape).astype("float32"))

    def __call__(self, image):
        start = time.perf_counter()
        gradient = self._curvature * image
        value = (gradient * image).sum() / 12
        value = float(value.asscalar()) if hasattr(value, "asscalar") else value
        self.arrays.values(gradient[:, :, :1, :1])  # waits
        self.seconds += time.perf_counter() - start
        return [value] * len(TERMS), gradient


def microseconds(arrays, shape, settings, epochs):
    """The median and the shortest time of an epoch without the stub's."""
    args = complete(Namespace(**{"stop_eps": 0.0, "max_num_epochs": epochs, "lr": 1e-3, **settings}))
    stub, ends = Stub(arrays, shape), []
    limit = np.inf if args.optimizer == "lbfgs" else float(np.prod(shape))
    of_image = image_terms(arrays, shape, "laplacian", 0.01)
    objective = Objective(stub, TERMS, [1.0] * len(TERMS), of_image, limit)
    start = optimize.start_state(np.random.RandomState(2).uniform(-100, 100, shape).astype("float32"))
    optimize.minimise(objective, start, args, lambda step: ends.append(time.perf_counter() - stub.seconds))
    times = np.diff(ends[3:]) * 1e6
    return np.median(times), times.min()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("size", nargs="?", default="600x400")
    parser.add_argument("--epochs", type=int, default=60)
    own = parser.parse_args()
    width, height = map(int, own.size.split("x"))
    kinds = {"MXNet": Arrays(context(0))}
    if not device.lacking():
        from neural_style.pytorch.arrays import Arrays as Tensors

        kinds["PyTorch"] = Tensors(device.device_of(0), device.where(context(0), 0))
    for kind, arrays in kinds.items():
        for name, settings in LOOPS.items():
            taken = microseconds(arrays, (1, 3, height, width), settings, own.epochs)
            print(f"{name}, {kind} on {arrays.where}: {taken[0]:.0f} µs an epoch, at best {taken[1]:.0f}", flush=True)


if __name__ == "__main__":
    main()
