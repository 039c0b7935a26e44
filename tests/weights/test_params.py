"""The .params container against MXNet's own reader and writer, and against files that are broken."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest

from neural_style.system.errors import NeuralStyleError
from neural_style.weights import params

TYPES = ("float32", "float64", "float16", "uint8", "int32", "int8", "int64")
VALUES = np.arange(24, dtype="float32").reshape(2, 3, 4) - 7


@pytest.fixture(scope="module")
def mx():
    from neural_style.find_mxnet import mx

    return mx


def assert_same(found, expected):
    assert list(found) == list(expected)
    for name in expected:
        assert found[name].dtype == expected[name].dtype
        np.testing.assert_array_equal(found[name], expected[name])


def packed(*arrays, names=("arg:a",), count=None):
    """A file's bytes from ready-made arrays."""
    body = struct.pack("<3Q", 0x112, 0, len(arrays) if count is None else count) + b"".join(arrays)
    return body + struct.pack("<Q", len(names)) + b"".join(struct.pack("<Q", len(n)) + n.encode() for n in names)


def legacy(values):
    """An array as MXNet wrote it in 2016: no magic, 32-bit dimensions."""
    return struct.pack(f"<I{values.ndim}I3i", values.ndim, *values.shape, 1, 0, 0) + values.tobytes()


def version(magic, values):
    """An array with a magic: V1 has no storage type."""
    storage = b"" if magic == params.V1 else struct.pack("<i", 0)
    return (
        struct.pack("<I", magic)
        + storage
        + struct.pack(f"<I{values.ndim}q3i", values.ndim, *values.shape, 1, 0, 0)
        + values.tobytes()
    )


@pytest.mark.parametrize("dtype", TYPES)
def test_reads_what_mxnet_writes_and_mxnet_reads_what_it_writes(mx, tmp_path, dtype):
    arrays = {"arg:one": VALUES.astype(dtype), "aux:two": np.array([5], dtype), "größe": np.ones((1, 2, 1, 3), dtype)}
    theirs, ours = str(tmp_path / "theirs.params"), str(tmp_path / "ours.params")
    mx.nd.save(theirs, {name: mx.nd.array(array, dtype=dtype) for name, array in arrays.items()})
    assert_same(params.read(theirs), arrays)
    params.write(ours, arrays)
    assert_same(params.read(ours), arrays)
    assert_same({name: array.asnumpy() for name, array in mx.nd.load(ours).items()}, arrays)


@pytest.mark.parametrize(
    "make", (legacy, lambda v: version(params.V1, v), lambda v: version(params.V2, v)), ids=("legacy", "V1", "V2")
)
def test_older_layouts_read_as_mxnet_reads_them(mx, tmp_path, make):
    path = tmp_path / "old.params"
    path.write_bytes(packed(make(VALUES), make(VALUES[0, 0]), names=("arg:a", "arg:b")))
    assert_same(params.read(path), {"arg:a": VALUES, "arg:b": VALUES[0, 0]})
    assert_same({name: array.asnumpy() for name, array in mx.nd.load(str(path)).items()}, params.read(path))


def test_numpy_shape_semantics_read_as_mxnet_writes_them(mx, tmp_path):
    path = str(tmp_path / "v3.params")
    with mx.util.np_shape(True):
        mx.nd.save(path, {"scalar": mx.nd.array(np.float32(3)).reshape(()), "matrix": mx.nd.array(VALUES[0])})
    assert Path(path).read_bytes()[24:28] == struct.pack("<I", params.V3)
    found = params.read(path)
    assert found["scalar"].shape == () and found["scalar"] == 3
    np.testing.assert_array_equal(found["matrix"], VALUES[0])


def test_a_transposed_array_is_written_in_its_own_order(tmp_path):
    path = tmp_path / "turned.params"
    params.write(path, {"a": VALUES.transpose(2, 0, 1), "big-endian": VALUES.astype(">f4")})
    np.testing.assert_array_equal(params.read(path)["a"], VALUES.transpose(2, 0, 1))
    np.testing.assert_array_equal(params.read(path)["big-endian"], VALUES)


def test_every_truncation_is_an_error_that_names_the_file(tmp_path):
    path, whole = tmp_path / "cut.params", packed(version(params.V2, VALUES), legacy(VALUES), names=("arg:a", "arg:b"))
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(NeuralStyleError, match="cut.params") as caught:
            params.read(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "truncated or damaged at byte 0"),
        (b"<html><body>404 Not Found</body></html>", "not an MXNet .params file"),
        (packed(legacy(VALUES)) + b"xx", "1 arrays and 1 names do not fill it"),
        (packed(legacy(VALUES), count=2**60), "truncated or damaged"),
        (packed(struct.pack("<I3I3i", 3, 2**31, 2**31, 2**31, 1, 0, 0)), "truncated or damaged"),
        (packed(struct.pack("<IiIq3i", params.V2, 0, 1, -4, 1, 0, 0)), "an array of shape"),
        (packed(struct.pack("<I", 2**20) + bytes(100)), "1048576 dimensions"),
        (packed(struct.pack("<I", 0)), "0 dimensions"),
        (packed(struct.pack("<I1I3i", 1, 1, 1, 0, 77) + bytes(4)), "type 77"),
        (packed(struct.pack("<IiI", params.V2, 1, 0)), "sparse"),
        (packed(legacy(VALUES), names=("a", "b")), "1 arrays and 2 names"),
        (packed(legacy(VALUES), legacy(VALUES), names=("a", "a")), "2 arrays and 2 names"),
        (packed(legacy(VALUES))[:-5] + b"\xff\xfe\xfd\xfc\xfb", "can't decode"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_broken_files_are_told_in_one_line(tmp_path, content, message):
    path = tmp_path / "broken.params"
    path.write_bytes(content)
    with pytest.raises(NeuralStyleError, match=message) as caught:
        params.read(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "array",
    [np.ones(2, bool), np.ones(2, complex), np.float32(1).reshape(()), np.zeros((0, 3))],
    ids=("bool", "complex", "scalar", "empty"),
)
def test_what_cannot_be_saved_leaves_the_older_file(tmp_path, array):
    path = tmp_path / "kept.params"
    params.write(path, {"a": VALUES})
    with pytest.raises(NeuralStyleError, match="bad cannot be saved"):
        params.write(path, {"bad": array})
    assert_same(params.read(path), {"a": VALUES})


def test_a_write_that_breaks_off_leaves_the_older_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "kept.params"
    params.write(path, {"a": VALUES})

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(np, "ascontiguousarray", full)
    with pytest.raises(NeuralStyleError, match="no space"):
        params.write(path, {"a": VALUES + 1})
    monkeypatch.undo()
    assert_same(params.read(path), {"a": VALUES})
    assert os.listdir(tmp_path) == ["kept.params"]
