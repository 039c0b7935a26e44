"""MXNet's operators by name: those that its Python front end leaves out too, such as the backward of single layers."""
import ctypes
import functools

import numpy as np

from .find_mxnet import mx


@functools.lru_cache(None)
def _handle(name):
    handle = ctypes.c_void_p()
    mx.base.check_call(mx.base._LIB.NNGetOpHandle(mx.base.c_str(name), ctypes.byref(handle)))
    return handle.value


def call(name, *arrays, out=None, **attributes):
    """The output, or list of outputs, of operator name for NDArrays; written to out where that is given."""
    return mx.nd._internal._imperative_invoke(_handle(name), list(arrays), list(attributes),
                                              [str(value) for value in attributes.values()], out, False, False)


DTYPES = {"float32": "float32", "fast32": "float32", "bf16": "bfloat16"}     # by --precision


def anywhere(shape, dtype):
    """No array: MXNet finds the memory for a result itself. What takes an `empty` also takes arena.Arena's."""


def cast(array, dtype, empty=anywhere):
    """The array in float32 or bfloat16; itself where it is so already."""
    return array if dtype_of(array) == dtype else call("amp_cast", array, dtype=dtype, out=empty(array.shape, dtype))


def dtype_of(array):
    """float32 or bfloat16."""
    return "float32" if array.dtype == np.float32 else "bfloat16"      # NumPy has no name for the latter


def convolution(features, weight, bias=None, empty=anywhere):
    """Convolution, stride 1, that keeps the size."""
    arrays = (features, weight) if bias is None else (features, weight, bias)
    return call("Convolution", *arrays, out=_with_channels(weight.shape[0], features, empty), **_same_size(weight),
                num_filter=weight.shape[0], no_bias=bias is None)


def convolution_backward(gradient, weight, empty):
    """The gradient of convolution's input: for stride 1 that is a transposed convolution with the same weights."""
    return call("Deconvolution", gradient, weight, out=_with_channels(weight.shape[1], gradient, empty),
                **_same_size(weight), num_filter=weight.shape[1], no_bias=True)


def _same_size(weight):
    side = weight.shape[2]
    return {"kernel": (side, side), "pad": (side // 2, side // 2)}


def _with_channels(channels, features, empty):
    return empty((1, channels) + features.shape[2:], dtype_of(features))


def relu(features, out):
    return call("Activation", features, out=out, act_type="relu")


def relu_backward(gradient, result, empty):
    return call("_backward_Activation", gradient, result, out=empty(result.shape, dtype_of(result)), act_type="relu")


def add(one, other):
    """The sum, in the first one's memory."""
    return call("add_n", one, other, out=one, num_args=2)


HALF = {"kernel": (2, 2), "stride": (2, 2), "pool_type": "avg"}


def average_pool(features, empty):
    _, channels, height, width = features.shape
    return call("Pooling", features, out=empty((1, channels, height // 2, width // 2), dtype_of(features)), **HALF)


def average_pool_backward(gradient, features, empty):
    return call("_backward_Pooling", gradient, features, gradient, out=empty(features.shape, dtype_of(features)), **HALF)
