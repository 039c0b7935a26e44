"""What a network's pictures are worth: how many epochs of optimisation reach their objective, how many a start saves.

    python benchmarks/one_pass.py --network painting.params --style painting.jpg photo1.jpg photo2.jpg
    python benchmarks/one_pass.py --network painting.params --style painting.jpg --goal 1.07e12 photo.jpg

The first prints for each photograph the reference's objective of the photograph, of what each network paints, and the
epoch in which the reference's optimiser gets there; the second the epochs in which L-BFGS reaches the goal from the
photograph and from the network's picture.
"""

import argparse
import contextlib
import time

from neural_style.end_to_end import network
from neural_style.find_mxnet import mx
from neural_style.nstyle import get_args
from neural_style.options.check import complete
from neural_style.run import optimize, setup
from neural_style.run.pyramid import start_of


class Reached(Exception):
    """The lowest goal."""


def epochs_to(goals, args, pictures, most):
    """For each goal the epoch in which the optimiser first evaluates the objective to that or less, or None."""
    args = complete(argparse.Namespace(**{**vars(args), "max_num_epochs": most, "stop_eps": 0.0}))
    device, found = mx.cpu(), {}
    objective = setup.make_objective(args, *setup.model_and_terms(args, device, pictures), pictures)

    def on_step(step):
        for goal in goals:
            if step.total <= goal:
                found.setdefault(goal, step.epoch)
        if len(found) == len(set(goals)):
            raise Reached

    with contextlib.suppress(Reached):
        start = start_of(args, pictures.content.shape, device, setup.images.read_picture)
        optimize.minimise(objective, start, args, on_step)
    return [found.get(goal) for goal in goals]


def arguments(asked, photo, *more):
    return complete(
        get_args(
            [
                "--content-image",
                photo,
                "--style-image",
                asked.style,
                "--size",
                str(asked.size),
                "--seed",
                "0",
                "--precision",
                asked.precision,
                *more,
            ]
        )
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--network", required=True, nargs="+")
    parser.add_argument("--style", required=True)
    parser.add_argument("--size", type=int, default=600)
    parser.add_argument("--goal", type=float)
    parser.add_argument("--epochs", type=int, default=200, help="give up after so many")
    parser.add_argument("--precision", default="fast32")
    asked = parser.parse_args()
    networks = {name: network.load(name) for name in asked.network}
    for photo in asked.photos:
        args = arguments(asked, photo)
        pictures = setup.pictures_of(args)
        if asked.goal:
            for start in ("content", *(f"network:{name}" for name in networks)):
                own = arguments(asked, photo, "--optimizer", "lbfgs", "--start", start)
                begin = time.monotonic()
                [epochs] = epochs_to([asked.goal], own, pictures, asked.epochs)
                print(
                    f"{photo}: L-BFGS from {start}: {epochs or 'not within ' + str(asked.epochs)} epochs "
                    f"to {asked.goal:g}, {time.monotonic() - begin:.0f} s",
                    flush=True,
                )
            continue
        objective = setup.make_objective(args, *setup.model_and_terms(args, mx.cpu(), pictures), pictures)
        before, painted = objective(mx.nd.array(pictures.content)).total, []
        for trained in networks.values():
            begin = time.monotonic()
            picture = trained.paint(pictures.content)
            seconds = time.monotonic() - begin
            painted.append((objective(mx.nd.array(picture)).total, seconds))
        del objective
        found = epochs_to([total for total, _ in painted], args, pictures, asked.epochs)
        for name, (after, seconds), epochs in zip(networks, painted, found):
            print(
                f"{photo}: photograph {before:.3g}, {name} {after:.3g} in {seconds:.2f} s, reached by the reference "
                f"in epoch {epochs or 'none of ' + str(asked.epochs)}",
                flush=True,
            )


if __name__ == "__main__":
    main()
