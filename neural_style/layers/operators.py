"""MXNet's operators by name, also those that its Python interface lacks, such as backward passes of single layers.

Results go into memory that empty(shape, dtype) gives; see arena.Arena, and own_memory below.
"""

import ctypes
import functools
from typing import Any, Callable, Optional, Tuple

import numpy as np

from ..find_mxnet import mx
from ..system.types import NDArray
from .last import Last, compiled, empty_last, over_rows, product, to_first, to_last

HALF = {"kernel": (2, 2), "stride": (2, 2)}


@functools.lru_cache(None)
def _handle(name):
    handle = ctypes.c_void_p()
    mx.base.check_call(mx.base._LIB.NNGetOpHandle(mx.base.c_str(name), ctypes.byref(handle)))
    return handle.value


def call(name: str, *arrays: NDArray, out: NDArray = None, **attributes: Any) -> NDArray:
    """The output, or list of outputs, of operator name for NDArrays; written to out where that is given."""
    return mx.nd._internal._imperative_invoke(
        _handle(name), list(arrays), list(attributes), [str(value) for value in attributes.values()], out, False, False
    )


def own_memory(shape: Tuple[int, ...], dtype: str) -> None:
    """No array: MXNet finds memory for the result itself."""


def cast(array: NDArray, dtype: str, empty: Callable = own_memory) -> NDArray:
    """The array in float32 or bfloat16; itself where it is so already."""
    return array if dtype_of(array) == dtype else call("amp_cast", array, dtype=dtype, out=empty(array.shape, dtype))


def dtype_of(array: NDArray) -> str:
    """float32 or bfloat16."""
    return "float32" if array.dtype == np.float32 else "bfloat16"  # NumPy has no name for the latter


def convolution(features: NDArray, weight: NDArray, bias: Optional[NDArray], empty: Callable) -> NDArray:
    """Convolution, stride 1, that keeps the size; bias may be None."""
    if isinstance(features, Last):
        result = product(features, np.ascontiguousarray(weight.asnumpy()[:, :, 0, 0].T), empty)
        if bias is not None:
            result.values[:] += bias.asnumpy()
        return result
    channels, _, side, _ = weight.shape
    arrays = (features, weight) if bias is None else (features, weight, bias)
    out, pad = empty((1, channels) + features.shape[2:], dtype_of(features)), 2 * (side // 2,)
    return call("Convolution", *arrays, out=out, no_bias=bias is None, num_filter=channels, kernel=2 * (side,), pad=pad)


def relu(features: NDArray, in_place: bool, empty: Callable) -> NDArray:
    if isinstance(features, Last):
        if in_place:  # the convolution has done it
            return features
        result = empty_last(features.shape, empty)
        np.maximum(features.values, 0, out=result.values)
        return result
    out = features if in_place else empty(features.shape, dtype_of(features))
    return call("Activation", features, out=out, act_type="relu")


def relu_backward(gradient: NDArray, result: NDArray, empty: Callable) -> NDArray:
    if isinstance(result, Last):
        gradient = to_last(gradient, empty)
        over_rows(compiled().keep_positive, gradient, result)
        return gradient
    gradient = to_first(gradient, empty)
    return call("_backward_Activation", gradient, result, out=empty(result.shape, dtype_of(result)), act_type="relu")


def add(one: NDArray, other: NDArray, empty: Callable = own_memory) -> NDArray:
    """The sum, in the first one's memory; the other one where there is no first."""
    if one is None:
        return other
    if isinstance(one, Last):
        other = to_last(other, empty)
        over_rows(compiled().add, one, other)
        return one
    other = to_first(other, empty)
    return call("add_n", one, other, out=one, num_args=2)


def pool(kind: str, features: NDArray, empty: Callable) -> NDArray:
    """Pools of 2×2: kind is avg or max."""
    _, channels, height, width = features.shape
    shape = (1, channels, height // 2, width // 2)
    if isinstance(features, Last):
        result = empty_last(shape, empty)
        over_rows(getattr(compiled(), f"pool_{kind}"), result, features, rows=(1, 2))
        return result
    return call("Pooling", features, out=empty(shape, dtype_of(features)), pool_type=kind, **HALF)


def pool_backward(kind: str, gradient: NDArray, features: NDArray, empty: Callable) -> NDArray:
    """The gradient of the features below a pool."""
    if isinstance(features, Last):
        gradient, result = to_last(gradient, empty), empty_last(features.shape, empty)
        getattr(compiled(), f"pool_{kind}_backward")(gradient.values, features.values, result.values)
        return result
    gradient, result = to_first(gradient, empty), empty(features.shape, dtype_of(features))
    if kind == "avg":
        return call("_backward_Pooling", gradient, features, gradient, out=result, pool_type="avg", **HALF)
    features = features.detach()  # only a forward pass in training mode records where the maxima are
    mx.autograd.mark_variables([features], [result])
    with mx.autograd.record():
        pooled = call("Pooling", features, pool_type="max", **HALF)
    pooled.backward(gradient)
    return result
