"""The runtimes that the script measures with: the one module that names them all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .onnxruntime import OnnxEngines
from .protocol import Evaluation, Preprocess, Request, Signature
from .tflite import TfliteEngines

if TYPE_CHECKING:
    from .engine import Engines

ENGINES: tuple[Engines[Any], ...] = (TfliteEngines(), OnnxEngines())
DELEGATES = {delegate.api: delegate for engines in ENGINES for delegate in engines.delegates}


def engines_of(request: Request) -> Engines[Any]:
    """Of the runtime that a request is for."""
    return next(engines for engines in ENGINES if isinstance(request.delegate, engines.delegates))


def request_from_json(text: str) -> Request:
    """Raises ValueError, KeyError or TypeError for what is no request."""
    said: dict[str, Any] = json.loads(text)
    said["delegate"] = DELEGATES[said["delegate"]["api"]](**said["delegate"])
    if "signature" in said:
        said["signature"] = Signature(**said["signature"])
    if "evaluate" in said:
        if "preprocess" in said["evaluate"]:
            said["evaluate"]["preprocess"] = Preprocess(**said["evaluate"]["preprocess"])
        said["evaluate"] = Evaluation(**said["evaluate"])
    return Request(**said)
