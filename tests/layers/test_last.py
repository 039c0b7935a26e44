"""Features with channels last: every compiled loop against MXNet or NumPy, threads, and a Numba that does not load."""

import os
import subprocess
import sys

import numpy as np
import pytest
from forks import finished

from neural_style import layers, nstyle
from neural_style.find_mxnet import mx
from neural_style.layers import last, operators
from neural_style.layers.arena import Arena
from neural_style.pictures import images

RANDOM = np.random.RandomState(8)
EMPTY = Arena(2**24).empty

needs_numba = pytest.mark.skipif(not last.compiled(), reason="Numba is not installed")


def maps(*shape):
    return np.maximum(RANDOM.standard_normal((1,) + shape), 0).astype("float32")


def both(array):
    """The array as MXNet has it, and with channels last."""
    return mx.nd.array(array), last.to_last(mx.nd.array(array), EMPTY)


@needs_numba
@pytest.mark.parametrize("channels, height, width", [(1, 1, 1), (5, 7, 33), (64, 12, 16)])
def test_there_and_back(channels, height, width):
    array = maps(channels, height, width)
    first, ours = both(array)
    assert ours.shape == first.shape
    np.testing.assert_array_equal(ours.values, array[0].transpose(1, 2, 0))
    np.testing.assert_array_equal(ours.asnumpy(), array)
    np.testing.assert_array_equal(last.to_first(ours, EMPTY).asnumpy(), array)
    assert last.to_last(ours, EMPTY) is ours and last.to_first(first, EMPTY) is first
    np.testing.assert_array_equal(ours.slice_axis(2, height // 3, height).asnumpy(), array[:, :, height // 3 :])


@needs_numba
@pytest.mark.parametrize("height, width", [(2, 2), (7, 9), (12, 16)])
@pytest.mark.parametrize("kind", ["avg", "max"])
def test_pools(kind, height, width):
    features, ours = both(maps(20, height, width))
    gradient, slope = both(maps(20, height // 2, width // 2) - 0.3)
    theirs = operators.pool(kind, features, EMPTY).asnumpy()
    np.testing.assert_allclose(operators.pool(kind, ours, EMPTY).asnumpy(), theirs, rtol=1e-6)
    expected = operators.pool_backward(kind, gradient, features, EMPTY).asnumpy()
    for given in (gradient, slope):  # above, MXNet may have been at work, or these loops
        np.testing.assert_allclose(operators.pool_backward(kind, given, ours, EMPTY).asnumpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(operators.pool_backward(kind, slope, features, EMPTY).asnumpy(), expected, rtol=1e-6)


@needs_numba
def test_relu_and_sums():
    features, signs = RANDOM.standard_normal((2, 1, 20, 7, 9)).astype("float32")
    plain, ours = both(features)
    np.testing.assert_array_equal(operators.relu(ours, False, EMPTY).asnumpy(), np.maximum(features, 0))
    np.testing.assert_array_equal(ours.asnumpy(), features)
    for one in both(features):
        for other in both(signs):
            np.testing.assert_array_equal(operators.add(one, other, EMPTY).asnumpy(), features + signs)
            one = both(features)[isinstance(one, last.Last)]
    for result in both(signs):
        for gradient in both(features):
            np.testing.assert_array_equal(
                operators.relu_backward(gradient, result, EMPTY).asnumpy(), features * (signs > 0)
            )


@needs_numba
def test_a_product_at_each_position():
    features, weight = maps(20, 7, 9), RANDOM.standard_normal((6, 20, 1, 1))
    plain, ours = both(features)
    expected = operators.convolution(plain, mx.nd.array(weight), None, EMPTY).asnumpy()
    np.testing.assert_allclose(
        operators.convolution(ours, mx.nd.array(weight), None, EMPTY).asnumpy(), expected, atol=1e-5
    )


PAINT = """
import sys
from neural_style import nstyle
sys.exit(nstyle.main(sys.argv[1:]))
"""


def of(full_run, output):
    return [*full_run, "--max-num-epochs", "1", "--precision", "fast32", "--output", str(output)]


@needs_numba
def test_numbers_do_not_depend_on_threads(full_run, tmp_path):
    for count in "12":
        words = [sys.executable, "-c", PAINT, *of(full_run, tmp_path / f"{count}.png")]
        subprocess.run(words, env={**os.environ, "OMP_NUM_THREADS": count}, check=True)
    assert images.read_image(str(tmp_path / "1.png")).tobytes() == images.read_image(str(tmp_path / "2.png")).tobytes()


def test_where_numba_is_missing_or_fails(full_run, tmp_path):
    """It is missed by nobody, or missed in one line; the picture is the same either way."""

    def painted(output, prepare):
        def run():
            prepare()
            return nstyle.main(of(full_run, output))

        code, said = finished(run)
        assert code == 0, said
        return images.read_image(str(output)).tobytes(), "\n".join(said)

    def forget():
        last.compiled.cache_clear()
        for name in [name for name in sys.modules if name.startswith(("numba", "neural_style.layers.compiled"))]:
            del sys.modules[name]
        vars(layers).pop("compiled", None)

    def absent():
        forget()
        sys.modules["numba"] = None

    def broken():
        forget()
        sys.path.insert(0, str(tmp_path))

    (tmp_path / "numba").mkdir()
    (tmp_path / "numba" / "__init__.py").write_text("raise ImportError('Numba needs NumPy 1.25 or less')")
    without, said = painted(tmp_path / "without.png", absent)
    assert "Numba" not in said
    failed, said = painted(tmp_path / "failed.png", broken)
    assert said.count("Numba does not load, and fast32 is slower without it: Numba needs NumPy 1.25 or less") == 1
    assert failed == without and "Traceback" not in said
