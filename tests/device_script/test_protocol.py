from __future__ import annotations

import json

import pytest

from benchbench.device_script.engines import request_from_json
from benchbench.device_script.protocol import Evaluation, Preprocess, Request, Signature, to_json
from benchbench.device_script.tflite.delegates import CompiledModelDelegate, InterpreterDelegate

WHOLE = Request(
    model="m.tflite",
    asked="external",
    delegate=InterpreterDelegate(xnnpack=True, library="liba.so", options={"device": "usb"}),
    signature=Signature("serve", ("x",), ("y",)),
    evaluate=Evaluation("x.npz", preprocess=Preprocess(mean=(1.0, 2.0)), state="variables"),
)


def test_a_request_arrives_as_it_was_sent() -> None:
    back = request_from_json(to_json(WHOLE))
    assert to_json(back) == to_json(WHOLE)
    assert (back.delegate, back.evaluate and back.evaluate.samples) == (WHOLE.delegate, "x.npz")
    assert isinstance(request_from_json(to_json(Request("m", "gpu", CompiledModelDelegate("gpu")))), Request)


@pytest.mark.parametrize("place", ["request", "delegate", "evaluate", "signature", "preprocess"])
def test_a_key_that_nobody_knows_is_refused(place: str) -> None:
    said = json.loads(to_json(WHOLE))
    parts = {"request": said, "preprocess": said["evaluate"]["preprocess"]}
    (parts.get(place) or said[place])["surprise"] = 1
    with pytest.raises(TypeError, match="surprise"):
        request_from_json(json.dumps(said))
