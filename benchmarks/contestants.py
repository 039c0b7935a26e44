"""What speed.py times: each of these paints one epoch whenever it is told to, in a process of its own.

    python benchmarks/contestants.py NAME WIDTHxHEIGHT

A line "ready" comes first; for every line that is read, an epoch follows and its seconds are printed. At the end of
its input the process prints the most memory that it had, in megabytes.
"""

import os
import resource
import sys
import time
from argparse import Namespace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def pictures(size):
    """The Pictures of a run whose content and style have this size (H, W)."""
    import skimage.data

    from neural_style.pictures import images
    from neural_style.run import setup

    content, style = (images.to_network(picture(), size) for picture in (skimage.data.rocket, skimage.data.coffee))
    return setup.Pictures(content, [setup.Style(style)])


def epochs_of_train(size, **arguments):
    """This package's own loop: evaluation, update, the image's change."""
    from neural_style.find_mxnet import mx
    from neural_style.options.check import complete
    from neural_style.run import optimize, setup

    compared = pictures(size)
    args = complete(Namespace(stop_eps=0.0, max_num_epochs=10**6, **arguments))
    objective = setup.make_objective(args, *setup.model_and_terms(args, mx.cpu(), compared), compared)
    start = optimize.start_state(mx.nd.random.uniform(-0.1, 0.1, compared.content.shape).asnumpy())

    class Over(Exception):
        pass

    def on_step(step):
        if not turn():
            raise Over

    try:
        if turn():
            optimize.minimise(objective, start, args, on_step)
    except Over:
        pass


def convolutions(size):
    """The network up to its highest layer, forward and backward: no Gram matrices, no losses."""
    from neural_style.find_mxnet import mx
    from neural_style.network.model import Model

    model = Model("vgg19", mx.cpu())
    bound = model.bind([model.layers["relu5_1"]], size)
    bound.data[:] = pictures(size).content
    gradients = [mx.nd.ones(output.shape) for output in bound.executor.outputs]
    while turn():
        bound.executor.forward()
        bound.executor.backward(gradients)
        bound.data_grad.wait_to_read()


def turn():
    """Tell how long the last epoch took, and wait; whether there is another to be."""
    now = time.perf_counter()
    print("ready" if turn.start is None else now - turn.start, flush=True)
    more = bool(sys.stdin.readline())
    turn.start = time.perf_counter()
    return more


turn.start = None

PLAIN = "fast32 without Numba"

CONTESTANTS = {
    "reference": lambda size: epochs_of_train(size),  # with threads and scratch memory as MXNet comes
    "convolutions": convolutions,
    "float32": lambda size: epochs_of_train(size),
    "fast32": lambda size: epochs_of_train(size, precision="fast32"),
    PLAIN: lambda size: epochs_of_train(size, precision="fast32"),
    "bf16": lambda size: epochs_of_train(size, precision="bf16"),
    "tile": lambda size: epochs_of_train(size, tile=64),
}


def main():
    name, (width, height) = sys.argv[1], map(int, sys.argv[2].split("x"))
    if name == "reference":  # as MXNet comes: half of the processors
        os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // 2))
        os.environ["MXNET_CPU_TEMP_COPY"] = "4"
    if name == PLAIN:
        sys.modules["numba"] = None
    CONTESTANTS[name]((height, width))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 * 1.048576)


if __name__ == "__main__":
    main()
