"""The schemes that are made by converters, in the order in which they are made."""

from __future__ import annotations

from typing import Literal, get_args

Scheme = Literal[
    "float32",
    "float16",
    "dynamic-int8",
    "int8",
    "int8-io",
    "int16x8",
    "weight-only-int8",
    "dynamic-int4",
    "weight-only-int4",
]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
