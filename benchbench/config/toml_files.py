"""TOML files of the user's as checked values; every complaint names the file, the key and the remedy."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from benchbench.config.complaints import MOST_TOLD, complaints
from benchbench.values.errors import InputError, file_error

LARGEST = 1_000_000  # bytes; no matrix or device file that a person writes comes near
Model = TypeVar("Model", bound=BaseModel)


def read_toml(path: Path) -> dict[str, Any]:
    """The file's tables; raises InputError for a file that is not there, not text, or no TOML."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise InputError(f"{path}: is larger than {LARGEST} bytes", remedy="is it the right file?")
        return parsed(data.decode("utf-8-sig"), path)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except OSError as error:
        raise file_error(error, f"{path}: cannot be read") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text", remedy="save it as UTF-8") from error


def parsed(text: str, path: Path) -> dict[str, Any]:
    """The tables of a TOML text; raises InputError, naming `path`, where it is none."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # besides its own errors: a number or a nesting beyond all measure
        raise InputError(f"{path}: is not TOML: {error}", remedy="see https://toml.io") from error


def validated(model: type[Model], data: dict[str, Any], path: Path) -> Model:
    """The data as a value of `model`; raises InputError with all complaints, in words."""
    try:
        # By way of JSON, whose strict mode takes a list for a tuple, but neither "3" nor true for a number.
        return model.model_validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        found = complaints(error, model, data)
        if len(found) == 1:
            raise InputError(f"{path}: {found[0].text}", remedy=found[0].remedy) from error
        each = [one.text + (f" ({one.remedy})" if one.remedy else "") for one in found[:MOST_TOLD]]
        more = f"; and {len(found) - MOST_TOLD} more" if len(found) > MOST_TOLD else ""
        raise InputError(f"{path}: {len(found)} mistakes: {'; '.join(each)}{more}") from error
