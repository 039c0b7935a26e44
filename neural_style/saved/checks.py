"""What the fields of saved things must be, as tables {name: check}, where a check says whether a value is good."""

import math
import os
from typing import Any, Callable, Mapping, Tuple

import numpy as np

Check = Callable[[Any], bool]
MOST = 10**12  # of anything that is counted


def demand(table: Mapping[str, Check], values: Mapping[str, Any], what: str = "it") -> None:
    """Raise ValueError unless values is a dict in which each field of the table is good; a missing one is None."""
    if not isinstance(values, dict):
        raise ValueError(f"{what} is no object")
    for name, is_good in table.items():
        if not is_good(values.get(name)):
            raise ValueError(f"{what} has a wrong {name}")


def _of(kind: type) -> Check:
    return lambda value: type(value) is kind


is_text, is_flag, is_list, is_object = map(_of, (str, bool, list, dict))


def is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < math.inf


def is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MOST


def is_absolute(value: Any) -> bool:
    """Whether it is an absolute path that the system can take."""
    try:
        return is_text(value) and os.path.isabs(value) and b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:
        return False


def is_name(value: Any) -> bool:
    """Whether it is a plain file name."""
    return is_text(value) and value not in ("", ".", "..") and not set(value) & set("/\\") and is_absolute(f"/{value}")


def one_of(*values: Any) -> Check:
    return lambda value: any(type(value) is type(one) and value == one for one in values)


def at_least(least: float, most: float = MOST) -> Check:
    return lambda value: type(value) is int and least <= value <= most


def optional(is_good: Check) -> Check:
    return lambda value: value is None or is_good(value)


def every(is_good: Check) -> Check:
    """A check of lists: of each value in them."""
    return lambda value: is_list(value) and all(map(is_good, value))


def is_losses(value: Any) -> bool:
    """Whether it is {name: number}; the names are texts, as JSON has them."""
    return is_object(value) and all(map(is_number, value.values()))


def of_shape(array: np.ndarray, shape: Tuple[int, ...]) -> np.ndarray:
    """The array, if it has this shape and finite values in float32."""
    if array.shape != tuple(shape) or array.dtype != np.float32 or not np.isfinite(array).all():
        raise ValueError("its arrays are not finite numbers of the right shape")
    return array
