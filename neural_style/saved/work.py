"""What "the same work" is: which arguments a picture depends on, and a digest of them.

A flag with its default is left out, so that the same command means the same work in a version that has more flags.
"""

import hashlib
import json
from argparse import Namespace
from typing import Any, Callable, Dict

from ..options.flags import BY_ATTRIBUTE, FILE, PICTURE, RUN, SESSION, attributes, with_paths

# Flags that can change without another picture; remove_noise is for checkpoints.
NOT_THE_PICTURE = {*attributes(RUN, SESSION), "remove_noise"}
# Flags that were there before defaults were left out: what was painted then is still known by all of them.
ALWAYS = frozenset(
    "amplitude_weight beta2 bit_depth clip_gradient content_image content_layers content_norm content_weight "
    "coordinates edges fit flatten keep_best lr lr_sched_delay lr_sched_factor mask match_every max_long_edge "
    "max_num_epochs model model_params momentum normalised optimizer output_size patch_rotations patch_scales "
    "patch_size patch_stride pooling precision preserve_colors pyramid pyramid_epochs regions remove_noise_final "
    "seed smooth_colors start stop_eps style_blend_weights style_image style_layer_weights style_layers "
    "style_norm style_regions style_scales style_term style_weight tile tv_loss tv_weight weight_decay width".split()
)


def what_counts(args: Namespace, digest: Callable[[str], str]) -> Dict[str, Any]:
    """The arguments that a picture depends on, by their names; digest(path) stands for each file."""
    values = vars(args)
    for kind in (PICTURE, FILE):
        values = with_paths(values, kind, digest)
    return {
        name: value
        for name, value in values.items()
        if name not in NOT_THE_PICTURE and (name in ALWAYS or value != BY_ATTRIBUTE[name].default)
    }


def fingerprint(*parts: Any) -> str:
    """A digest of values of JSON."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
