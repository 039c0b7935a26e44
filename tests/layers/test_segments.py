"""The way through the network, cut into segments and strips."""

import pytest

from neural_style.find_mxnet import mx
from neural_style.layers.segments import chain, segments, windows
from neural_style.network.model import Model


@pytest.mark.parametrize("height, rows, halo", [(400, 64, 4), (7, 16, 2), (131, 16, 4), (33, 20, 8), (2560, 128, 4)])
def test_windows_divide_the_rows(height, rows, halo):
    parts = windows(height, rows, halo)
    assert [part.core_first for part in parts] + [height] == [0] + [part.core_last for part in parts]
    for part in parts:
        assert part.first == max(0, part.core_first - halo) and part.last == min(height, part.core_last + halo)
        assert part.core_first % 2 == 0 and part.core_last - part.core_first <= 1.5 * rows + 2
        first, last = part.core()
        assert (part.first + first, part.first + last) == (part.core_first, part.core_last)


def names(operations):
    return " ".join(operation.name for operation in operations)


@pytest.fixture
def model(small):
    return Model("vgg19", mx.cpu(), small)


def test_a_chain_ends_with_the_highest_layer(model):
    operations = chain(model, ["relu2_1", "conv1_2"])
    assert names(operations) == "conv1_1 relu1_1 conv1_2 relu1_2 pool1 conv2_1 relu2_1"
    assert [operation.kind for operation in operations] == ["conv", "relu", "conv", "relu", "pool", "conv", "relu"]
    assert [operation.in_place for operation in operations if operation.kind == "relu"] == [True, False, True]


@pytest.mark.parametrize("attribute, value", [("device", mx.gpu(0)), ("is_own", False)])
def test_what_is_no_chain_is_for_the_graph(model, attribute, value):
    assert chain(model, ["relu4_1"]) and chain(model, ["relu4_1", "pool3"]) is None
    setattr(model, attribute, value)
    assert chain(model, ["relu4_1"]) is None


def test_whole_segments_but_for_what_is_made_of_the_picture(model):
    first, *rest = segments(chain(model, ["relu4_2"]), 200, None, {})
    assert names(first.operations) == "conv1_1 relu1_1" and first.recomputed and first.rows is None
    assert [names(one.operations).split()[-1] for one in rest] == ["pool1", "pool2", "pool3", "relu4_2"]
    assert not any(one.recomputed or one.rows for one in rest)


@pytest.mark.parametrize("height, in_strips", [(47, 1), (48, 2), (191, 3), (192, 4)])
def test_strips_where_a_layer_has_rows_for_two(model, height, in_strips):
    found = segments(chain(model, ["relu4_2"]), height, 16, {})
    assert [one.rows for one in found if one.rows] == [16] * in_strips
    assert all(one.recomputed for one in found[:in_strips])
    assert not any(one.recomputed for one in found[in_strips:])


@pytest.mark.parametrize(
    "reach, halos", [({}, [2, 2, 4, 4]), ({"relu1_2": 1}, [4, 2, 4, 4]), ({"relu3_1": 5, "relu3_2": 2}, [2, 2, 10, 4])]
)
def test_a_halo_is_what_values_and_terms_need_and_even(model, reach, halos):
    """Pools take rows in pairs, and a strip has to begin with a whole one."""
    found = segments(chain(model, ["relu4_3"]), 1000, 16, reach)
    assert [one.halo for one in found] == halos
