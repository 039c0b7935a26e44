"""Which device PyTorch computes on; it is imported only where it is used, or where the system seems to have a GPU."""

import functools
import importlib.util
import math
import os
from typing import Any, Optional

from .. import cuda, find_mxnet
from ..system.errors import UsageError

NODES = ("/dev/kfd", "/dev/dri", "/dev/dxg")  # where Linux has GPUs of AMD and Intel, and WSL any


def lacking() -> str:
    """What is missing for PyTorch, in words."""
    return "" if importlib.util.find_spec("torch") else "PyTorch is not installed (pip install torch)"


@functools.lru_cache(None)
def accelerator() -> Any:
    """The accelerator that PyTorch sees, such as cuda, or ""; PyTorch is imported only where there may be one."""
    if lacking() or not (cuda.driver().gpus or any(map(os.path.exists, NODES))):
        return ""
    import torch

    if hasattr(torch, "accelerator"):
        return torch.accelerator.current_accelerator().type if torch.accelerator.is_available() else ""
    return "cuda" if torch.cuda.is_available() else ""


def device_of(gpu: int) -> Any:
    """PyTorch's device for --gpu."""
    import torch

    kind = accelerator() if gpu >= 0 else ""
    count = getattr(torch, kind).device_count() if kind else 1
    if kind and gpu >= count:
        raise UsageError(f"--gpu {gpu}: this machine's GPUs are 0 to {count - 1}")
    return torch.device(kind, gpu) if kind else torch.device("cpu")


def free_memory(device: Any, gpu: int) -> Optional[float]:
    """The free bytes of the memory of PyTorch's device for --gpu; None on the CPU."""
    if gpu < 0 or not accelerator():
        return None
    import torch

    module = getattr(torch, accelerator())
    return module.mem_get_info(gpu)[0] if hasattr(module, "mem_get_info") else math.inf


def where(device: Any, gpu: int) -> str:
    """PyTorch's device in words, where --gpu asked for this one; device is MXNet's, and why it is not a GPU."""
    import torch

    own = device_of(gpu)
    if own.type == "cpu":
        return f"{find_mxnet.in_words(device)} by PyTorch {torch.__version__}"
    module = getattr(torch, own.type)
    name = module.get_device_name(own) if hasattr(module, "get_device_name") else own.type
    return f"{name} by PyTorch {torch.__version__} ({find_mxnet.in_words(device, gpu)})"
