"""The one memory for features: places that are taken and free again, and what oneDNN leaves in them."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

from neural_style.find_mxnet import mx
from neural_style.layers import operators
from neural_style.layers.arena import ALIGNMENT, Arena, Rows, in_float32

RANDOM = np.random.RandomState(5)


def start(array):
    return array.memory.ctypes.data


def test_an_array_takes_the_lowest_place_that_is_free():
    arena = Arena(10 * ALIGNMENT)
    first, second, third = (arena.empty((1, 2, 3), "float32") for _ in range(3))
    places = [start(array) for array in (first, second, third)]
    assert places == [places[0] + i * ALIGNMENT for i in range(3)]
    for value, array in enumerate((first, second, third)):
        array[:] = value
    del second
    assert start(arena.empty((ALIGNMENT // 4 + 1,), "float32")) == places[2] + ALIGNMENT  # too large for the gap
    assert start(arena.empty((5,), "float32")) == places[1]
    assert (first.asnumpy() == 0).all() and (third.asnumpy() == 2).all()


def test_what_has_no_place_has_memory_of_its_own():
    arena = Arena(ALIGNMENT)
    arrays = [arena.empty((1000,), "float32") for _ in range(3)]
    for value, array in enumerate(arrays):
        array[:] = value
    assert [array.asnumpy().mean() for array in arrays] == [0, 1, 2]
    assert len(set(map(start, arrays))) == 3


def test_arrays_of_bfloat16():
    array = Arena(ALIGNMENT).empty((2, 3), "bfloat16")
    assert operators.cast(mx.nd.array([[1, 2, 3], [4, 5, 6]]), "bfloat16", lambda *_: array) is array
    assert operators.dtype_of(array) == "bfloat16" and array.memory.nbytes == 12
    assert operators.cast(array, "float32").asnumpy().sum() == 21


@pytest.mark.parametrize("channels", [3, 64])
def test_channels_last_whatever_onednn_does(channels):
    arena = Arena(2**24)
    picture, weight = (
        mx.nd.array(RANDOM.standard_normal(shape)) for shape in ((1, channels, 20, 31), (64, channels, 3, 3))
    )
    up = operators.convolution(picture, weight, None, arena.empty)
    down = operators.convolution(up, mx.nd.flip(weight, axis=(2, 3)).transpose((1, 0, 2, 3)), None, arena.empty)
    plain = arena.empty(up.shape, "float32")
    plain[:] = up
    assert not plain.has_channels_last()
    for array in (up, down, plain, picture):
        rows_of = Rows()
        for _ in range(2):
            owner, rows = rows_of(array, 4, 17, arena.empty)
            np.testing.assert_array_equal(rows, array.asnumpy()[0, :, 4:17].transpose(1, 2, 0))
            assert owner is not None


def test_the_bits_of_bfloat16():
    array = operators.cast(mx.nd.array(RANDOM.standard_normal((3, 50))), "bfloat16", Arena(ALIGNMENT).empty)
    array.wait_to_read()
    np.testing.assert_array_equal(in_float32(array.memory), operators.cast(array, "float32").asnumpy().ravel())
    exact = np.float32([1, 2])
    assert in_float32(exact) is exact


@pytest.mark.parametrize("end", ["", "del arena, empty, kept, weight", "mx.nd.waitall()"])
def test_a_process_ends_in_peace(end):
    code = """
        from neural_style.layers import operators
        from neural_style.layers.arena import Arena
        from neural_style.find_mxnet import mx
        arena = Arena(2 ** 26)
        empty, weight = arena.empty, mx.nd.ones((64, 64, 3, 3))
        kept = operators.convolution(mx.nd.ones((1, 64, 100, 150)), weight, None, empty)
        def work():
            operators.relu(operators.convolution(kept, weight, None, empty), True, empty)
        work()
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(code) + end], stderr=subprocess.PIPE)
    assert ended.returncode == 0 and not ended.stderr
