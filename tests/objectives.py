"""Objectives as a command line asks for them."""

from neural_style.find_mxnet import mx
from neural_style.nstyle import get_args
from neural_style.objective import edges
from neural_style.options.check import complete
from neural_style.run import setup


def objective_of(words, regions=None):
    """The Objective for a command line, or its words, and the content as the network sees it, with its margins.

    Such regions take the place of the pictures'.
    """
    args = complete(get_args(words.split() if isinstance(words, str) else map(str, words)))
    pictures = setup.pictures_of(args)
    if regions is not None:
        pictures = pictures._replace(regions=regions)
    objective = setup.make_objective(args, *setup.model_and_terms(args, mx.cpu(), pictures), pictures)
    return objective, edges.on_canvas(args.edges, pictures).content


def evaluated(objective, image):
    """The Evaluation at an image of NumPy's, with the gradient as NumPy has it."""
    evaluation = objective(objective.arrays.of(image))
    return evaluation._replace(gradient=objective.arrays.values(evaluation.gradient))
