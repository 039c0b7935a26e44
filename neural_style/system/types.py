"""Types that signatures share. MXNet has no types of its own, so that its objects are Any to a type checker."""

import os
from typing import TYPE_CHECKING, Any, Dict, Tuple, Union

if TYPE_CHECKING:
    import numpy as np

NDArray = Any  # mx.nd.NDArray
Symbol = Any  # mx.sym.Symbol
Context = Any  # mx.Context, a device
PathLike = Union[str, "os.PathLike[str]"]
Size = Tuple[int, ...]  # (H, W)
Arrays = Dict[str, "np.ndarray"]
