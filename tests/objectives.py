"""Objectives as a command line asks for them."""
from neural_style.find_mxnet import mx
from neural_style.nstyle import get_args
from neural_style.options.check import complete
from neural_style.run import setup


def objective_of(words):
    """The Objective for the words of a command line, and the content picture as the network sees it."""
    args = complete(get_args([str(word) for word in words]))
    content = setup.content_of(args)
    styles = setup.styles_of(args, content)
    model, terms = setup.model_and_terms(args, mx.cpu())
    setup.demand_sizes(model, terms, content.shape[2:], [style.shape[2:] for style in styles])
    return setup.make_objective(args, model, terms, content, styles), content
