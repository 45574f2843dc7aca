"""The references of keys and the JSON Schemas are those of the models that read the files."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from benchbench.config.reference import sections
from benchbench.config.schema import DEVICE_FILE, as_text, device_schema, matrix_schema
from tests.end_to_end.test_readme import readme_matrix
from tests.reference import PAGES, ROOT, page

MATRIX, DEVICE = Draft202012Validator(matrix_schema()), Draft202012Validator(device_schema())
LEAST: dict[str, Any] = {"name": "x", "delegates": ["cpu"], "model": [{"family": "net", "variants": "net.tflite"}]}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.parent.name)
def test_a_page_has_every_key_as_the_models_have_it(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == page(path), "run `make reference`"


def test_the_schema_beside_the_device_files_is_that_of_the_model() -> None:
    assert (ROOT / "devices" / DEVICE_FILE).read_text(encoding="utf-8") == as_text(device_schema())


@pytest.mark.parametrize("schema", [matrix_schema(), device_schema()], ids=["matrix", "device"])
def test_every_key_says_what_it_is_for_or_what_holds_without_it(schema: dict[str, Any]) -> None:
    keys = [(section.heading, key) for section in sections(schema, "top") for key in section.keys]
    assert [(heading, key.name) for heading, key in keys if not key.meaning and key.default == "none"] == []
    assert len(keys) > 15


@pytest.mark.parametrize(
    "text",
    [
        readme_matrix(),
        *((ROOT / "benchbench" / "demo" / name).read_text() for name in ("matrix.toml", "imagenet.toml")),
    ],
    ids=["README", "demo", "imagenet"],
)
def test_the_schema_takes_matrices_that_are_right(text: str) -> None:
    MATRIX.validate(tomllib.loads(text))


@pytest.mark.parametrize("address", [{"transport": "local"}, {"transport": "ssh", "host": "pi", "port": 22}])
def test_the_schema_takes_device_files_that_are_right(address: dict[str, Any]) -> None:
    DEVICE.validate({"address": address, "env": {"A": "b"}, "runner": "python"})


@pytest.mark.parametrize(
    "change",
    [
        {"nam": "x"},
        {"delegates": []},
        {"delegates": ["gpuu"]},
        {"delegates": [{"kind": "gpu", "precision": "fp8"}]},
        {"delegates": [{"precision": "fp32"}]},
        {"delegates": [{"kind": "external"}]},
        {"measure": {"rounds": 0}},
        {"measure": {"ronds": 5}},
        {"measure": {"cooldown": {}}},
        {"model": [{"family": "net"}]},
        {"threads": "1"},
    ],
    ids=str,
)
def test_the_schema_marks_what_plan_would_refuse(change: dict[str, Any]) -> None:
    MATRIX.validate(LEAST)
    assert not MATRIX.is_valid(LEAST | change)


@pytest.mark.parametrize("device", [{}, {"address": {"transport": "ssh"}}, {"address": {"transport": "usb"}}], ids=str)
def test_the_schema_marks_a_device_file_that_is_wrong(device: dict[str, Any]) -> None:
    assert not DEVICE.is_valid(device)
