"""A network as a chain of operations, cut into segments that can be evaluated in strips of rows."""

from typing import Dict, List, NamedTuple, Optional, Tuple

from ..network.model import Model
from ..system.types import NDArray


class Operation(NamedTuple):
    """One layer of a chain."""

    kind: str  # conv, relu or pool
    name: str
    in_place: bool  # of a ReLU: nobody needs what the convolution left


class Window(NamedTuple):
    """The rows of a layer that are available, from first to last, and the core, the ones that count."""

    height: int
    first: int
    last: int
    core_first: int
    core_last: int

    def core(self) -> Tuple[int, int]:
        """Where the core begins and ends within the available rows."""
        return self.core_first - self.first, self.core_last - self.first


class Segment(NamedTuple):
    """Operations of one height, and the pool behind them."""

    operations: List[Operation]
    rows: Optional[int]  # of a strip; None evaluates all at once
    recomputed: bool  # the backward pass makes the features once more, instead of keeping them
    halo: int  # rows around a strip that its values depend on


def chain(model: Model, names: List[str]) -> Optional[List[Operation]]:
    """The Operations up to the named layers; None if the model, or one of the layers, is not for this engine."""
    if not model.is_own or model.device.device_type != "cpu" or any(name.startswith("pool") for name in names):
        return None
    order = list(model.layers)
    order = order[: max(map(order.index, names)) + 1]
    return [Operation(name.rstrip("0123456789_"), name, "conv" + name[4:] not in names) for name in order]


def whole(features: NDArray) -> Window:
    """The Window of all rows."""
    height = features.shape[2]
    return Window(height, 0, height, 0, height)


def windows(height: int, rows: int, halo: int) -> List[Window]:
    """Windows whose cores divide height rows into strips of about as many rows, an even number, each with a halo."""
    count = max(1, round(height / rows))
    edges = [height * i // count // 2 * 2 for i in range(count)] + [height]
    return [
        Window(height, max(0, first - halo), min(height, last + halo), first, last)
        for first, last in zip(edges, edges[1:])
        if first < last
    ]


def segments(operations: List[Operation], height: int, tile: Optional[int], reach: Dict[str, int]) -> List[Segment]:
    """The operations for height rows, cut behind each pool; in strips where that makes two at least.

    reach is {layer: rows of surroundings that its terms need}. The operations on the picture itself are as large as any
    and take almost no time, so they are separate, to be recomputed.
    """
    blocks: List[List[Operation]] = [[]]
    for operation in operations:
        blocks[-1].append(operation)
        if operation.kind == "pool":
            blocks.append([])
    found = []
    for level, block in enumerate(filter(None, blocks)):
        if tile and (height >> level) >= 1.5 * tile:
            rows = sum(operation.kind == "conv" for operation in block)
            rows += max(reach.get(operation.name, 0) for operation in block)
            found.append(Segment(block, tile, True, rows + rows % 2))  # even, for pools take rows in pairs
        else:
            inner = [index for index, operation in enumerate(block) if index and operation.kind == "conv"]
            cut = 0 if level else (inner or [len(block)])[0]
            parts = (block[:cut], True), (block[cut:], False)
            found += [Segment(part, None, recomputed, 0) for part, recomputed in parts if part]
    return found
