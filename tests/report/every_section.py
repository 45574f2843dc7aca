"""Two runs whose page has every section: a matrix on a good and a bad day, with canaries, caches, logs, ops left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchbench.analysis.frames import Run, load
from benchbench.values.outcome import CacheUse, Outcome
from tests.analysis.test_disturbances import canary
from tests.report.believable import SPEED, full_matrix
from tests.report.builder import variant, write_run

DEVICES = ("pixel8", "rpi5")
HOSTILE = "int8_<script>alert(1)</script>"
LEFT = {"SOFTMAX": 1, "RESIZE_BILINEAR": 2}
THREADS, MISSED = "INFO: Num threads: [{}]", "Discarding stale program cache entry"
FAILED = ("ERROR: tensor 12 has no data", "Segmentation fault")


def every_section(folder: Path) -> list[Run]:
    """The runs, an older one and one of the day after, in folders below."""
    days = (("monday", "2026-11-23", DEVICES[:1]), ("tuesday", "2026-11-24", DEVICES))
    return [_run(folder / day, devices, id=day, created=f"{date}T03:00:00+00:00") for day, date, devices in days]


def _run(folder: Path, devices: Sequence[str], **manifest: str) -> Run:
    hostile = variant(scheme="int8", name=HOSTILE)
    full_matrix(folder, devices=devices, extra=[hostile], rounds=4)
    made = load(folder)
    outcomes = [_told(one, folder) for one in made.outcomes]
    outcomes += [canary(number, ms, device) for device in devices for number, ms in enumerate((1.0, 1.01, 1.3))]
    variants = [*(variant(scheme=scheme) for scheme in SPEED), hostile]
    skips = [skip.model_dump(mode="json") for skip in made.manifest.skips]
    return load(write_run(folder, outcomes, variants=variants, skips=skips, **manifest))


def _told(one: Outcome, folder: Path) -> Outcome:
    """With its log, with a cache that was not used on the GPU, and with what a part of a graph left."""
    said = one.delegation
    lines = [THREADS.format(one.measurement.threads), said.evidence or "", "INFO: Loaded model"]
    lines += FAILED if one.status == "failed" else [MISSED] if said.asked == "gpu" else []
    log = f"logs/{one.trial.replace('/', '__')}.txt"
    (folder / "logs").mkdir(exist_ok=True)
    (folder / log).write_text("\n".join(["$ tool --delegate=secret", "exit code 0", "", "== stdout ==", *lines]))
    update: dict[str, object] = {"log": log, "command": "tool --graph=net.tflite"}
    if said.asked == "gpu" and one.status == "ok":
        update["cache"] = CacheUse(asked="warm", used=False, evidence=MISSED)
    if said.verdict == "partial":
        update["delegation"] = said.model_copy(update={"left": LEFT, "macs_share": 0.875})
    return one.model_copy(update=update)
