"""What is wrong with a file of the user's, in the words of the file: all of it at once, each with its remedy."""

from __future__ import annotations

import difflib
import json
import re
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel, ValidationError

MOST_TOLD = 8
NO_SUCH_KEY, MISSING = "no such key", "is missing"
Steps = tuple[str | int, ...]  # the way to a value in the file
Path = tuple[str, ...]  # the keys that lead to a table, without the numbers of repeated ones

_WORDS = {  # pydantic's kind of error -> what it means here; {…} from its context
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "should be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "should be a number"),
    "finite_number": "should be a finite number",
    "string_type": "should be a text in quotes",
    **dict.fromkeys(("bool_type", "bool_parsing"), "should be true or false"),
    **dict.fromkeys(("tuple_type", "list_type"), "should be a list: [ … ]"),
    **dict.fromkeys(("model_type", "dict_type", "model_attributes_type"), "should be a table"),
    **dict.fromkeys(("literal_error", "enum"), "should be {expected}"),
    "greater_than": "should be above {gt}",
    "greater_than_equal": "should be {ge} or more",
    "less_than": "should be below {lt}",
    "less_than_equal": "should be {le} or less",
    "string_too_short": "should have {min_length} or more characters",
    "string_too_long": "should have {max_length} or fewer characters",
    "too_short": "should have {min_length} or more items",
    "too_long": "should have {max_length} or fewer items",
}


class Complaint(NamedTuple):
    """One thing that is wrong: where, what, and what to do about it."""

    steps: Steps
    said: str
    remedy: str
    of_list: bool = False  # the last step is to an item of a list that is no table

    @property
    def text(self) -> str:
        """In one line, repeated tables and items counted from one: `model 2: dataset: no such key`."""
        place = ""
        for n, (before, step) in enumerate(zip(("", *self.steps), self.steps, strict=False), 1):
            if isinstance(step, int):
                place += f"{': item' if self.of_list and n == len(self.steps) else ''} {step + 1}"
            else:
                place += f"{': ' if isinstance(before, int) else '.'}{step}"
        return f"{place.removeprefix('.')}: {self.said}" if place else self.said


def complaints(error: ValidationError, model: type[BaseModel], data: Mapping[str, Any]) -> tuple[Complaint, ...]:
    """All that is wrong, in the order of the file; the alternatives of one value are one complaint."""
    found: dict[Steps, list[Complaint]] = {}
    for one in error.errors():
        complaint = _complaint(one, model, data)
        found.setdefault(complaint.steps, []).append(complaint)
    unknown = {steps[:-1] for steps, several in found.items() if several[0].said == NO_SUCH_KEY}

    def follows(one: Complaint) -> bool:
        """Whether it only follows from another: a list that lacks its wrong items, a key that has a typo."""
        deeper = any(len(steps) > len(one.steps) and steps[: len(one.steps)] == one.steps for steps in found)
        return deeper or (one.said == MISSING and one.steps[:-1] in unknown)

    return tuple(_one_of(several) for several in found.values() if not follows(several[0]))


def _one_of(alternatives: list[Complaint]) -> Complaint:
    """A value that may be of several kinds has a complaint for each of them."""
    said = list(dict.fromkeys(one.said for one in alternatives))
    words = " or ".join([said[0], *(text.removeprefix("should be ") for text in said[1:])])
    return alternatives[0]._replace(said=words)


def _complaint(one: Any, model: type[BaseModel], data: Mapping[str, Any]) -> Complaint:
    steps, value = _steps(one["loc"], data)
    context = one.get("ctx", {})
    match one["type"]:
        case "extra_forbidden":
            return Complaint(steps, NO_SUCH_KEY, _where_it_belongs(steps, model, data))
        case "missing":
            return Complaint(steps, MISSING, f"add {one['loc'][-1]} = …")
        case "union_tag_invalid" | "union_tag_not_found":
            expected = _quoted(context.get("expected_tags", ""))
            tag, given = str(context.get("discriminator", "kind")).replace("'", ""), str(context.get("tag", ""))
            if not given:
                return Complaint(steps, f"{tag} is missing", f"add {tag} = …")
            remedy = meant(given, expected) or f"one of {', '.join(expected)}"
            return Complaint(steps, f'no such {tag}: "{given}"', remedy, not isinstance(value, dict))
        case "tuple_type" if isinstance(value, dict) and _path(steps) in dict(_tables(model)):
            return Complaint(steps, "should be a list of tables", f"write [[{'.'.join(_path(steps))}]]")
        case "value_error":
            said = one["msg"].removeprefix("Value error, ")
        case "string_pattern_mismatch":
            said = _pattern_words(context["pattern"])
        case kind:
            said = _WORDS.get(kind, one["msg"].replace("Input should", "should")).format(**context)
    remedy = "" if isinstance(value, dict) else f"it is {_as_written(value)}"
    near = meant(value, _quoted(context.get("expected"))) if isinstance(value, str) else ""
    return Complaint(steps, said, "; ".join(filter(None, (remedy, near))), not isinstance(value, dict))


def _path(steps: Iterable[str | int]) -> Path:
    return tuple(step for step in steps if isinstance(step, str))


def _as_written(value: object) -> str:
    """A value as TOML has it, cut where it is long."""
    return reprlib.repr(value) if not isinstance(value, bool | str) else json.dumps(value, ensure_ascii=False)[:80]


def _pattern_words(pattern: str) -> str:
    """A pattern of a first character and those after it, in words."""
    found = re.fullmatch(r"\^\[([^]]+)\](?:\[([^]]+)\]\*|\+)\$", pattern)
    if found is None:
        return f"does not fit the pattern {pattern}"
    first, rest = found[1], found[2] or found[1]
    begins = f", beginning with one of {_class_words(first)}" if first != rest else ""
    return f"should be of {_class_words(rest)}{begins}"


def _class_words(characters: str) -> str:
    """What stands in the brackets of a pattern."""
    words = {"A-Za-z": "letters A to Z and a to z", "a-z": "letters a to z", "0-9": "digits"}
    told = []
    for part, said in words.items():
        if part in characters:
            characters = characters.replace(part, "")
            told.append(said)
    return ", ".join([*told, *characters.replace("\\", "")])


def _quoted(words: object) -> list[str]:
    """The words that pydantic lists in single quotes."""
    return re.findall(r"'([^']*)'", str(words))


def _steps(location: Iterable[str | int], data: Any) -> tuple[Steps, Any]:
    """The way to a value by what the file says, and the value: pydantic also names the kinds that it may have."""
    steps: list[str | int] = []
    parts = list(location)
    for number, part in enumerate(parts):
        if (isinstance(data, dict) and part in data) or (isinstance(data, list) and isinstance(part, int)):
            data = data[part]  # type: ignore[index]  # it is the one or the other
        elif number < len(parts) - 1 or not isinstance(data, dict):
            continue
        steps.append(part)
    return tuple(steps), data


def _where_it_belongs(steps: Steps, model: type[BaseModel], data: Mapping[str, Any]) -> str:
    """A remedy for a key that its table does not have: the table that has it, or a key that may be meant."""
    *way, word = steps
    here = _path(way)
    tables = dict(_tables(model))
    table: Any = data
    for step in way:
        table = table[step]
    own = {key for one in tables.get(here, ()) if _is_kind(one, table) for key in one.model_fields}
    others = {path: {key for one in models for key in one.model_fields} for path, models in tables.items()}
    others.pop(here, None)
    homes = [_heading(path, model) for path, keys in others.items() if word in keys]
    if homes:
        return f"{word} belongs {' or '.join(homes)}"
    if question := meant(str(word), own):
        return question
    if near := _near(str(word), {key for keys in others.values() for key in keys}):
        home = next(path for path, keys in others.items() if near in keys)
        return f'did you mean "{near}", {_heading(home, model)}?'
    return f"known: {', '.join(sorted(own))}"


def _is_kind(model: type[BaseModel], table: Any) -> bool:
    """Whether a table may be of this model, where its `kind` says so."""
    field, given = model.model_fields.get("kind"), table.get("kind") if isinstance(table, dict) else None
    return field is None or given is None or field.default == given


def _heading(path: Path, model: type[BaseModel]) -> str:
    """Where a table is in a file."""
    if not path:
        return "at the top of the file"
    field = model.model_fields[path[0]]
    brackets = ("[[", "]]") if get_origin(field.annotation) in {tuple, list} else ("[", "]")
    return f"in {brackets[0]}{'.'.join(path)}{brackets[1]}"


def _tables(model: type[BaseModel], path: Path = ()) -> Iterator[tuple[Path, tuple[type[BaseModel], ...]]]:
    """Every table that a file may have, with the models that it may be."""
    yield path, (model,)
    for name, field in model.model_fields.items():
        inner = tuple(_models(field.annotation))
        if inner:
            yield (*path, name), inner
        for one in inner:
            yield from list(_tables(one, (*path, name)))[1:]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models within a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A remedy for a word that is not known: the nearest one that is, else all of them."""
    return meant(word, known) or f"known: {', '.join(sorted(known))}"


def meant(word: str, known: Iterable[str]) -> str:
    """The question whether the nearest known word is meant; "" where none is near."""
    near = _near(word, known)
    return f'did you mean "{near}"?' if near else ""


def _near(word: str, known: Iterable[str]) -> str | None:
    """The known word that may be meant, in whatever case it is written; never the word itself."""
    by_small = {name.lower(): name for name in sorted(set(known) - {word})}
    return next((by_small[small] for small in difflib.get_close_matches(word.lower(), by_small, n=1)), None)
