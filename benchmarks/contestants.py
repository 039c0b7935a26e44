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
    """Content and style, (1, 3, H, W) each, in the network's range."""
    import skimage.data
    from neural_style import images
    return [images.to_network(picture(), size) for picture in (skimage.data.rocket, skimage.data.coffee)]


def epochs_of_train(size, **arguments):
    """This package's own loop: evaluation, update, the image's change."""
    from neural_style import nstyle, optimize, options
    from neural_style.find_mxnet import mx
    content, style = pictures(size)
    args = options.complete(Namespace(stop_eps=0.0, max_num_epochs=10 ** 6, **arguments))
    objective = nstyle.make_objective(args, content, [style], mx.cpu())
    image = mx.nd.random.uniform(-0.1, 0.1, content.shape)

    class Over(Exception):
        pass

    def on_step(step):
        if not turn():
            raise Over
    try:
        if turn():
            optimize.minimise(objective, image, args, on_step)
    except Over:
        pass


def reference(size):
    """The original's epoch, of its own parts: the bound graph with Gram matrices and losses, NAG, total variation."""
    from neural_style import model_vgg19, nstyle
    from neural_style.find_mxnet import mx
    content, style = pictures(size)
    symbols = model_vgg19.get_symbol()
    gram, scales = nstyle.style_gram_symbol(size, symbols[0])
    targets = model_vgg19.get_executor(gram, symbols[1], size, mx.cpu())
    params = {name: array for name, array in targets.arg_dict.items() if name != "data"}
    targets.data[:] = style
    targets.executor.forward()
    grams = [output.copyto(mx.cpu()) for output in targets.style]
    targets.data[:] = content
    targets.executor.forward()
    content_target = targets.content.copyto(mx.cpu())
    bound = model_vgg19.get_executor(*nstyle.get_loss(gram, symbols[1]), size, mx.cpu(), params)
    for i, array in enumerate(grams):
        array.copyto(bound.arg_dict[f"target_gram_{i}"])
    content_target.copyto(bound.arg_dict["target_content"])
    del targets
    heads = [mx.nd.ones((1,)) / scale for scale in scales] + [mx.nd.ones((1,)) * 10]
    image = mx.nd.random.uniform(-0.1, 0.1, content.shape)
    optimizer = mx.optimizer.NAG(learning_rate=0.001, momentum=0.95, wd=0.0001)
    state, old = optimizer.create_state(0, image), image.copy()
    variation = nstyle.get_tv_grad_executor(image, mx.cpu(), 0.01)
    while turn():
        image.copyto(bound.data)
        bound.executor.forward()
        bound.executor.backward(heads)
        norm = mx.nd.norm(bound.data_grad).asscalar()
        if norm > content.size:
            bound.data_grad[:] *= content.size / norm
        variation.forward()
        optimizer.update(0, image, bound.data_grad + variation.outputs[0], state)
        (mx.nd.norm(old - image) / mx.nd.norm(image)).asscalar()
        old = image.copy()


def convolutions(size):
    """The network up to its highest layer, forward and backward: no Gram matrices, no losses."""
    from neural_style.find_model import Model
    from neural_style.find_mxnet import mx
    content, _ = pictures(size)
    model = Model("vgg19", mx.cpu())
    bound = model.bind(model.outputs(["relu5_1"]), size)
    bound.data[:] = content
    heads = [mx.nd.ones(output.shape) for output in bound.executor.outputs]
    while turn():
        bound.executor.forward()
        bound.executor.backward(heads)
        bound.data_grad.wait_to_read()


def turn():
    """Tell how long the last epoch took, and wait; whether there is another to be."""
    now = time.perf_counter()
    print("ready" if turn.start is None else now - turn.start, flush=True)
    more = bool(sys.stdin.readline())
    turn.start = time.perf_counter()
    return more


turn.start = None

CONTESTANTS = {
    "reference": reference,
    "convolutions": convolutions,
    "float32": lambda size: epochs_of_train(size),
    "fast32": lambda size: epochs_of_train(size, precision="fast32"),
    "bf16": lambda size: epochs_of_train(size, precision="bf16"),
    "tile": lambda size: epochs_of_train(size, tile=64),
}


def main():
    name, (width, height) = sys.argv[1], map(int, sys.argv[2].split("x"))
    if name == "reference":     # as MXNet comes: half of the processors
        os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // 2))
        os.environ["MXNET_CPU_TEMP_COPY"] = "4"
    CONTESTANTS[name]((height, width))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 * 1.048576)


if __name__ == "__main__":
    main()
