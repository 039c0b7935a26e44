"""Weights files of narrow VGGs as other programs write them, for the tests of what reads them."""

import collections
import io
import pickle
import struct
import sys
import types
import zipfile

import numpy as np
from scipy.io import savemat

from neural_style.network.architecture import array_shapes
from neural_style.weights import params, torch_file

# VGG's blocks with as many layers as the real ones, but narrow.
SMALL = {"vgg19": ((4, 2), (5, 2), (6, 4), (7, 4), (8, 4)), "vgg16": ((4, 2), (5, 2), (6, 3), (7, 3), (8, 3))}


def known(network="vgg19"):
    """The arrays that must come out."""
    random = np.random.RandomState(7)
    return {
        name: random.standard_normal(shape).astype("float32") for name, shape in array_shapes(SMALL[network]).items()
    }


def pairs(arrays):
    """[("1_1", weight, bias), …] in order."""
    return [
        (name[4:-7], array, arrays[name[:-6] + "bias"]) for name, array in arrays.items() if name.endswith("weight")
    ]


def bgr(arrays):
    return {**arrays, "conv1_1_weight": arrays["conv1_1_weight"][:, ::-1].copy()}


# --- files as others write them ---------------------------------------------------------------------------------------


def write_mat(path, arrays, layout):
    """MatConvNet: a cell of layer structs, kernels [width, height, in, out]; the classifier follows."""

    def struct_of(kind, kernels=None, bias=None):
        if kernels is None:
            return {"type": kind, "name": kind}
        if layout == "first releases":
            return {"type": kind, "filters": kernels, "biases": bias, "stride": 1.0}
        cell = np.empty((1, 2), object)
        cell[0, 0], cell[0, 1] = kernels, bias
        return {"weights": cell, "type": kind} if layout == "old beta" else {"name": "c", "type": kind, "weights": cell}

    layers = []
    for _, weight, bias in pairs(arrays):
        layers += [struct_of("conv", weight.transpose(3, 2, 1, 0), bias.reshape(1, -1)), struct_of("relu")]
    layers += [struct_of("conv", np.ones((7, 7, 8, 9), "f4"), np.ones((1, 9), "f4")), struct_of("softmax")]
    cell = np.empty((1, len(layers)), object)
    cell[0, :] = layers
    savemat(path, {"layers": cell, "meta": {"normalization": 1.0}})


def write_keras(path, arrays, weight_name="{0}_W_1:0", bias_name="{0}_b_1:0", root=""):
    import h5py

    with h5py.File(path, "w") as file:
        for name, weight, bias in pairs(bgr(arrays)):
            layer = "block{}_conv{}".format(*name.split("_"))
            file[f"{root}{layer}/" + weight_name.format(layer)] = weight.transpose(2, 3, 1, 0)
            file[f"{root}{layer}/" + bias_name.format(layer)] = bias
        file[f"{root}fc1/fc1_W_1:0"] = np.ones((10, 4), "f4")
        file["optimizer_weights/Adam/block1_conv1/kernel/m:0"] = np.ones((3, 3, 3, 4), "f4")


def torchvision_names(network, batch_norm=False):
    """conv1_1 → features.0, …: a ReLU follows each convolution, a pool each block; a normalisation comes between."""
    names, index = {}, 0
    for block, (_, count) in enumerate(SMALL[network], 1):
        for layer in range(1, count + 1):
            names[f"{block}_{layer}"] = f"features.{index}"
            index += 3 if batch_norm else 2
        index += 1
    return names


def state_dict(arrays, network="vgg19", norms=None):
    """norms are those behind the convolutions, as normalisations makes them."""
    names, state = torchvision_names(network, norms is not None), collections.OrderedDict()
    for name, weight, bias in pairs(arrays):
        state[names[name] + ".weight"], state[names[name] + ".bias"] = weight, bias
        if norms:
            behind = f"features.{int(names[name].split('.')[1]) + 1}"
            state.update({f"{behind}.{part}": array for part, array in norms[name].items()})
            state[f"{behind}.num_batches_tracked"] = np.array(1000)
    state["classifier.0.weight"] = np.ones((3, 5), "f4")
    return state


def normalisations(arrays):
    """A batch normalisation for each convolution, {"1_1": {part: array}} with PyTorch's names."""
    random = np.random.RandomState(11)
    return {
        name: {
            "weight": random.uniform(0.5, 2, len(bias)).astype("f4"),
            "bias": random.standard_normal(len(bias)).astype("f4"),
            "running_mean": random.standard_normal(len(bias)).astype("f4"),
            "running_var": random.uniform(0.1, 4, len(bias)).astype("f4"),
        }
        for name, _, bias in pairs(arrays)
    }


class Saved:
    """Pickles as torch.save pickles a tensor: a call of _rebuild_tensor_v2 on a window into a storage."""

    def __init__(self, key, values, offset, shape, strides, rebuild="_rebuild_tensor_v2"):
        self.storage = types.SimpleNamespace(key=key, values=values)
        self.rest, self.rebuild = (offset, shape, strides), rebuild

    def __reduce__(self):
        tensor = getattr(sys.modules["torch._utils"], self.rebuild)
        more = (False, collections.OrderedDict()) if self.rebuild.endswith("v2") else ()
        return tensor, (self.storage, *self.rest, *more)


def fake_torch():
    """PyTorch's modules by name, with empty types under the names that pickles refer to."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for module, names in ((torch, torch_file.STORAGES), (utils, ("_rebuild_tensor", "_rebuild_tensor_v2"))):
        for name in names:
            setattr(module, name, type(name, (), {"__module__": module.__name__, "__qualname__": name}))
    return {"torch": torch, "torch._utils": utils}


STORAGE_NAMES = {np.dtype(dtype): name for name, dtype in torch_file.STORAGES.items()}


def torch_pickle(torch, state, view):
    """The pickle of a state dict, and its storages as {key: values}."""
    saved, storages = collections.OrderedDict(), {}
    for number, (name, item) in enumerate(state.items()):
        if isinstance(item, np.ndarray):
            strides = tuple(step // item.itemsize for step in item.strides)
            item = Saved(str(number), item.ravel(order="K"), 0, item.shape, strides)
        if isinstance(item, Saved):
            storages[item.storage.key] = item.storage.values
        saved[name] = item
    saved._metadata = collections.OrderedDict(version=1)
    out = io.BytesIO()

    class Pickler(pickle.Pickler):
        def persistent_id(self, item):
            if not isinstance(item, types.SimpleNamespace):
                return None
            kind = getattr(torch, STORAGE_NAMES[item.values.dtype])
            return ("storage", kind, item.key, "cpu", item.values.size) + ((None,) if view else ())

    Pickler(out, protocol=2).dump(saved)
    return out.getvalue(), storages


def write_pth_stream(path, torch, state):
    content, storages = torch_pickle(torch, state, view=True)
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    with open(path, "wb") as file:
        for item in (torch_file.MAGIC, 1001, system):
            pickle.dump(item, file, protocol=2)
        file.write(content)
        pickle.dump(sorted(storages, reverse=True), file, protocol=2)
        for key in sorted(storages, reverse=True):
            file.write(struct.pack("<q", storages[key].size) + storages[key].tobytes())


def write_pth_zip(path, torch, state):
    content, storages = torch_pickle(torch, state, view=False)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/byteorder", "little")
        for key, values in storages.items():
            archive.writestr(f"archive/data/{key}", values.tobytes())
        archive.writestr("archive/version", "3\n")


def write_gluon(path, names):
    arrays = {}
    for number, (name, weight, bias) in enumerate(pairs(known())):
        layer = f"vgg0_conv{number}_" if names == "export" else f"{torchvision_names('vgg19')[name]}."
        prefix = "arg:" if names == "export" else ""
        arrays[f"{prefix}{layer}weight"], arrays[f"{prefix}{layer}bias"] = weight, bias
    arrays["features.37.weight"] = np.ones((3, 4), "f4")
    params.write(path, arrays)
