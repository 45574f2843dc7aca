"""What goes into the model: shapes and values from flags and files, otherwise random but the same in every run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from .flags import Failed, Values, fatal, info

RANGES = {"uint8": (0, 254), "int8": (-127, 127)}


def layers(values: Values) -> tuple[list[str], list[list[int]]]:
    names = [name for name in values["input_layer"].split(",") if name]
    shapes = [[int(size) for size in shape.split(",")] for shape in values["input_layer_shape"].split(":") if shape]
    if len(names) != len(shapes):
        raise Failed(
            f"The number of items in --input_layer_shape ({values['input_layer_shape']}, with {len(shapes)} items) "
            f"must match the number of items in --input_layer ({values['input_layer']}, with {len(names)} items)."
        )
    return names, shapes


def resize(interpreter: Any, values: Values) -> None:
    names, shapes = layers(values)
    details = interpreter.get_input_details()
    if names and len(names) != len(details):
        fatal(f"Inputs mismatch: Model inputs #:{len(names)} expected: {len(details)}")
    for position, (name, shape, detail) in enumerate(zip(names, shapes, details, strict=False)):
        if name != detail["name"]:
            info(f"Tensor # {detail['index']} is named {detail['name']} but flags call it {name}", "WARN")
        if len(shape) != len(detail["shape"]):
            raise Failed(f"Input tensor #{position} should have {len(detail['shape'])} dimensions!")
        if list(detail["shape"]) != shape:
            interpreter.resize_tensor_input(detail["index"], shape)


def value_files(values: Values, names: list[str]) -> dict[str, Path]:
    files = {}
    for item in values["input_layer_value_files"].split(","):
        if match := re.fullmatch(r"((?:[^:]|::)+):([^:]+)", item):  # "::" stands for a ':' in a name
            files[match[1].replace("::", ":")] = Path(match[2])
        elif item:
            raise Failed(f"{item} contains more than one delimiter.", f"Wrong input value file item specified: {item}")
    for name in files:
        if name not in names:
            fatal(f"Cannot find the corresponding input_layer name({name}) in --input_layer as {values['input_layer']}")
    return files


def read_array(path: Path, dtype: Any, shape: tuple[int, ...]) -> Any:
    import numpy as np

    size = int(np.prod(shape)) * dtype.itemsize
    if not path.is_file():
        fatal(f"Failed to read the input_layer_value_file:{path}")
    raw = path.read_bytes()
    if len(raw) != size:
        fatal(f"The size of {path} is {len(raw)} bytes. It should be {size} bytes.")
    return np.frombuffer(raw, dtype).reshape(shape)


def feed(interpreter: Any, values: Values) -> None:
    import numpy as np

    names, _ = layers(values)
    files = value_files(values, names)
    items = [item.split(",") for item in values["input_layer_value_range"].split(":") if item]
    ranges = {name: (int(low), int(high)) for name, low, high in items}
    dice = np.random.default_rng(5489)
    for position, detail in enumerate(interpreter.get_input_details()):
        shape, dtype = tuple(int(size) for size in detail["shape"]), np.dtype(detail["dtype"])
        name = names[position] if names else detail["name"]
        if name in files:
            data = read_array(files[name], dtype, shape)
        elif dtype.kind == "f":
            data = (dice.random(shape) - 0.5).astype(dtype)
        else:
            low, high = ranges.get(name, RANGES.get(dtype.name, (0, 99)))
            data = dice.integers(low, high, shape, endpoint=True).astype(dtype)
        interpreter.set_tensor(detail["index"], data)
