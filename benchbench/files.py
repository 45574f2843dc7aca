"""TOML files of the user's as checked values; every complaint names the file, the key and the remedy."""

from __future__ import annotations

import difflib
import json
import reprlib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from benchbench.errors import InputError, file_error

Model = TypeVar("Model", bound=BaseModel)


def read_toml(path: Path) -> dict[str, Any]:
    """The file's tables; raises InputError for a file that is not there, not text, or no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except OSError as error:
        raise file_error(error, f"{path}: cannot be read") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text", remedy="save it as UTF-8") from error
    except (ValueError, RecursionError) as error:  # besides its own errors: a number or a nesting beyond all measure
        raise InputError(f"{path}: is not TOML: {error}", remedy="see https://toml.io") from error


def validated(model: type[Model], data: dict[str, Any], path: Path) -> Model:
    """The data as a value of `model`; raises InputError with the first complaint, in words."""
    try:
        # By way of JSON, whose strict mode takes a list for a tuple, but neither "3" nor true for a number.
        return model.model_validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        complaint, remedy = _first_complaint(error, model, path)
        raise InputError(complaint, remedy=remedy) from error


def _first_complaint(error: ValidationError, model: type[BaseModel], path: Path) -> tuple[str, str]:
    # A typo in a key that must be there is two complaints; the one about what was written comes first.
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    key = ".".join(f"[{part}]" if isinstance(part, int) else str(part) for part in first["loc"]).replace(".[", "[")
    place = f"{path}: {key}" if key else str(path)
    match first["type"]:
        case "extra_forbidden":
            return f"{place}: no such key", did_you_mean(str(first["loc"][-1]), field_names(model))
        case "missing":
            return f"{place}: is missing", f"add {first['loc'][-1]} = …"
        case "union_tag_invalid" | "union_tag_not_found":
            expected = str(first.get("ctx", {}).get("expected_tags", "")).replace("'", "")
            tag = str(first.get("ctx", {}).get("discriminator", "'kind'")).replace("'", "")
            given = first.get("ctx", {}).get("tag")
            said = f'no such {tag}: "{given}"' if given else f"{tag} is missing"
            return f"{place}: {said}", f"one of {expected}" if expected else f"add {tag} = …"
        case _:
            said = first["msg"].removeprefix("Value error, ").replace("Input should", "should")
            given = first["input"]
            return f"{place}: {said}", "" if isinstance(given, dict) else f"it is {reprlib.repr(given)}"


def field_names(model: type[BaseModel]) -> set[str]:
    """Every key that may appear in a model or in the models of its fields."""
    names: set[str] = set()
    pending: list[Any] = [model]
    seen: set[int] = set()
    while pending:
        item = pending.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, type) and issubclass(item, BaseModel):
            names |= set(item.model_fields)
            pending += [field.annotation for field in item.model_fields.values()]
        pending += list(getattr(item, "__args__", ()))
    return names


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A remedy for a word that is not known: the nearest one that is, else all of them."""
    choices = sorted(known)
    near = difflib.get_close_matches(word, choices, n=1)
    return f'did you mean "{near[0]}"?' if near else f"known: {', '.join(choices)}"
