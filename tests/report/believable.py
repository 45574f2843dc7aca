"""Matrices of believable results: good and bad days, classes, op profiles."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbench.accuracy.classes import write_classes
from benchbench.accuracy.metrics import classify, packed
from benchbench.values.case import Variant
from benchbench.values.outcome import (
    OpTime,
    Outcome,
    Profile,
    Verdict,
)
from tests.report.builder import DELEGATES, conditions, measurement, outcome, skip, variant, write_run

CLASSES = ("cat", "dog", "<script>alert(2)</script>", "n" * 80, "量化")
SPEED = {"float32": 1.0, "float16": 0.98, "dynamic-int8": 0.7, "int8": 0.34, "int16x8": 2.2, "int4": 0.6}
ACCURACY = {"float32": 0.915, "float16": 0.915, "dynamic-int8": 0.913, "int8": 0.909, "int16x8": 0.914, "int4": 0.84}
FACTOR = {"cpu": 6.0, "xnnpack": 1.0, "gpu": 0.55}


def full_matrix(
    folder: Path,
    *,
    devices: Sequence[str] = ("pixel8", "rpi5", "host"),
    extra: Sequence[Variant] = (),
    rounds: int = 5,
    classes: Sequence[str] = CLASSES,
) -> Path:
    """A whole matrix as it comes out on a good and a bad day: fall-backs, throttling, failures, accuracy, profile."""
    rng = random.Random(11)
    variants = [*(variant(scheme=scheme) for scheme in SPEED), *extra]
    outcomes: list[Outcome] = []
    for device_index, device in enumerate(devices):
        cells = [(v, d, t) for v in variants for d in DELEGATES for t in (1, 2, 4)]
        position = 0
        for round_number in range(rounds):
            rng.shuffle(cells)
            for used, delegate, threads in cells:
                slower = 1.0 + device_index
                when = (round_number, position)
                outcomes.append(believable(rng, device, used, delegate, threads, when=when, slower=slower))
                position += 1
        last = [o for o in outcomes[-len(cells) :] if o.status == "ok" and "/t1" in o.case]
        outcomes += [x for o in last for x in extras(o, folder, classes)]
    reason = "not compiled for the Edge TPU: run edgetpu_compiler"
    skips = [skip(devices[0], variant(scheme=scheme), "edgetpu", reason) for scheme in SPEED]
    return write_run(folder, outcomes, variants=variants, skips=skips)


def believable(
    rng: random.Random,
    device: str,
    used: Variant,
    delegate: str,
    threads: int,
    *,
    when: tuple[int, int],
    slower: float,
) -> Outcome:
    round_number, position = when
    scaled = FACTOR[delegate] / (1 if delegate == "gpu" else threads**0.8)
    ms = 12.0 * slower * SPEED.get(used.scheme, 1.0) * scaled * rng.gauss(1, 0.02)
    verdict: Verdict = "full"
    if delegate == "gpu":
        verdict = "partial" if used.scheme == "dynamic-int8" else "none" if used.scheme == "int16x8" else "full"
        verdict = "unavailable" if device == "rpi5" else verdict
    warm = 40 + 18 * (1 - 2.7 ** (-position / 60)) + rng.gauss(0, 0.5)
    hot = device == "rpi5" and 150 < position < 165
    common: dict[str, Any] = {
        "threads": threads,
        "round": round_number,
        "position": position,
        "verdict": verdict,
        "before": conditions(warm, load=0.3 + rng.random()),
        "after": conditions(warm + 2, throttled=["throttled"] if hot else [], load=1.2 + rng.random()),
    }
    if used.scheme == "int4" and delegate == "gpu" and device != "rpi5":
        error = "ERROR: Node number 12 (CONV_2D) failed to prepare."
        return outcome(
            device, used, delegate, ms=None, status="failed", error=error, remedy="use another scheme", **common
        )
    if verdict in {"none", "unavailable"}:
        ms /= FACTOR["gpu"]
    return outcome(device, used, delegate, ms=ms, **common)


def class_tables(folder: Path, trial: str, correct: NDArray[np.bool_], names: Sequence[str]) -> str:
    """The class tables of a trial whose samples have the labels 0, 1, 2 … over and over; its outputs' path."""
    labels = np.arange(len(correct)) % len(names)
    answers = np.where(correct, labels, (labels + 1) % len(names))
    scores = np.zeros((len(correct), len(names)), np.float32)
    scores[np.arange(len(correct)), answers] = 1
    outputs = f"outputs/{trial.replace('/', '_')}"
    (folder / outputs).mkdir(parents=True, exist_ok=True)
    write_classes(folder / outputs, classify(scores, labels), dict(enumerate(names)))
    return outputs


def extras(o: Outcome, folder: Path, classes: Sequence[str]) -> list[Outcome]:
    """The launches of a case for its accuracy and its op profile."""
    asked, scheme = str(o.delegation.asked), o.variant.split(".", 1)[1]
    correct = np.random.default_rng(3).random(2000) < ACCURACY.get(scheme, 0.9) - 0.004 * (asked == "gpu")
    scores = {"n": 2000, "dataset": "ef" * 32, "top1": float(correct.mean()), "correct": packed(correct), "broken": 0}
    scores |= {"agreement": 0.987, "cosine": 0.9991, "sqnr_db": 31.2, "flags": ""}
    scored = {"trial": f"{o.case}/accuracy", "outputs": class_tables(folder, f"{o.case}/accuracy", correct, classes)}
    profiled = measurement(9000, profile=op_profile(asked, 9.0))
    return [
        o.model_copy(update={"purpose": "accuracy", "round": 0, "accuracy": scores} | scored),
        o.model_copy(update={"purpose": "profile", "trial": f"{o.case}/profile", "round": 0, "measurement": profiled}),
    ]


def op_profile(delegate: str, ms: float) -> Profile:
    shares = {"CONV_2D": 61.0, "DEPTHWISE_CONV_2D": 24.0, "FULLY_CONNECTED": 9.0, "ADD": 4.0, "SOFTMAX": 2.0}
    if delegate != "cpu":
        name = "TfLiteXNNPackDelegate" if delegate == "xnnpack" else "TfLiteGpuDelegateV2"
        partition = OpTime(name=name, type=name, mean_us=ms * 970, percent=97.0, calls=1, executor=delegate)
        left = OpTime(name="SOFTMAX", type="SOFTMAX", mean_us=ms * 30, percent=3.0, calls=1)
        return Profile(by_op=(partition, left), by_type=(partition, left))
    rows = tuple(OpTime(name=t, type=t, mean_us=ms * 10 * p, percent=p, calls=4) for t, p in shares.items())
    return Profile(by_op=rows, by_type=rows)
