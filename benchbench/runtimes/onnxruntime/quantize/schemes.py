"""The schemes that onnxruntime's quantizers make, in the order in which they are made."""

from __future__ import annotations

UINT8_ACTIVATIONS = "u8s8"  # QDQ with uint8 activations and int8 weights; "int8" has both signed (S8S8)
SCHEMES = ("float32", "float16", "dynamic-int8", "int8", UINT8_ACTIVATIONS, "weight-only-int4")
