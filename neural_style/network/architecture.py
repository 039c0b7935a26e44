"""The networks as tables: the VGGs' convolutions, block by block, and the shapes that follow from them."""

from typing import Dict, Tuple

import numpy as np

MEANS = np.array([123.68, 116.779, 103.939])  # R, G, B averages of the pictures that the VGGs were trained on
NETWORKS = {  # per block of 3×3 convolutions: channels, number of layers
    "vgg19": ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4)),
    "vgg16": ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)),
}
NETWORKS["vgg16_bn"] = NETWORKS["vgg16"]  # its weights have batch normalisations folded into the convolutions


def layer_shapes(blocks: Tuple[Tuple[int, int], ...]) -> Dict[str, Tuple[int, ...]]:
    """{"conv1_1": (out, in, 3, 3), …} of a network, in order."""
    shapes: Dict[str, Tuple[int, ...]] = {}
    channels = 3
    for block, (width, count) in enumerate(blocks, 1):
        for layer in range(1, count + 1):
            shapes[f"conv{block}_{layer}"] = (width, channels, 3, 3)
            channels = width
    return shapes


def array_shapes(blocks: Tuple[Tuple[int, int], ...]) -> Dict[str, Tuple[int, ...]]:
    """{"conv1_1_weight": (out, in, 3, 3), "conv1_1_bias": (out,), …} of a network, in order."""
    return {
        f"{name}_{part}": part_shape
        for name, shape in layer_shapes(blocks).items()
        for part, part_shape in (("weight", shape), ("bias", shape[:1]))
    }
