"""Moving paint along with what moves in a video; pictures are (1, 3, H, W) arrays."""
import numpy as np

from . import colors

RADIUS = 9      # pixels around each one that are assumed to move with it


def follow(image, before, now):
    """image, moved the way the picture before has moved to become the picture now (Lucas and Kanade's optical flow)."""
    from skimage.registration import optical_flow_ilk
    from skimage.transform import warp
    before, now = (colors.luminance(picture)[0, 0] / 255 for picture in (before, now))
    down, right = optical_flow_ilk(now, before, radius=RADIUS)
    rows, columns = np.indices(now.shape)
    source = np.array([rows + down, columns + right])
    moved = [warp(channel, source, mode="edge", preserve_range=True) for channel in image[0].astype("float64")]
    return np.stack(moved)[None].astype("float32")
