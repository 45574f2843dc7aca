"""What a stored sample goes through before a model gets it."""

from __future__ import annotations

from benchbench.values.device import Frozen


class Preprocessing(Frozen):
    """From a stored sample to the real value that a model wants: (x * scale - mean) / std, mean and std by channel.

    `size` (height, width), `crop` (the middle square first) and `channels` are for image files only. `label_offset`
    is added to labels, for models whose class 0 is a background.
    """

    scale: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    size: tuple[int, int] | None = None
    crop: bool = False
    label_offset: int = 0
