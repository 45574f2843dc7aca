"""JSON Schemas of matrices and device files, made from the models that read them: for editors and the references."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from benchbench.config.matrix_file import MatrixFile
from benchbench.values.device import Device

Schema = dict[str, Any]
MATRIX_FILE, DEVICE_FILE = "matrix.schema.json", "device.schema.json"  # their names beside what they describe


def as_text(schema: Schema) -> str:
    """A schema as its file holds it."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def matrix_schema() -> Schema:
    """Of matrix.toml; a delegate may be written as its kind alone."""
    schema = _schema(MatrixFile, "matrix.toml", "What benchbench measures, on what, and how.")
    delegates = schema["properties"]["delegates"]
    kinds = delegates["items"]
    delegates["items"] = {"anyOf": [{"type": "string", "enum": list(kinds["discriminator"]["mapping"])}, kinds]}
    return schema


def device_schema() -> Schema:
    """Of devices/NAME.toml."""
    schema = _schema(Device, "devices/NAME.toml", "How benchbench reaches a device, and what it uses there.")
    for key in ("name", "source"):  # the file's name and place
        del schema["properties"][key]
    schema["required"].remove("name")
    return schema


def _schema(model: type[BaseModel], title: str, about: str) -> Schema:
    schema = model.model_json_schema(schema_generator=_ForToml)
    _require_tags(schema, schema)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema, "title": title, "description": about}


def _require_tags(node: Any, schema: Schema) -> None:
    """Of tables that may be of several kinds, each needs the key that tells which it is."""
    if isinstance(node, dict):
        for reference in node.get("discriminator", {}).get("mapping", {}).values():
            table = schema["$defs"][reference.rpartition("/")[2]]
            table["required"] = sorted({node["discriminator"]["propertyName"], *table.get("required", ())})
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _require_tags(inner, schema)


class _ForToml(GenerateJsonSchema):
    """TOML has no null: what may be absent is what is not required."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        told = isinstance(made.get("default"), bool | int | float | str) or made.get("default")
        return made if told and not isinstance(told, dict) else {k: v for k, v in made.items() if k != "default"}

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:
        return value  # keys stay in the order in which they are declared, as a person would write them

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False
