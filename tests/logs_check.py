"""Compare what is read from recorded outputs of benchmark_model with what was read from them by hand.

`python -m tests.logs_check FOLDER…`: every sub-folder with a log.txt and an expected.json is read; a line per log, and
one per difference; exit status 1 when there is any. Conventions of expected.json: the README beside the logs; with
`launches` it lists what each launch of the text must hold (tests/cases_check.py), without it describes one launch.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchbench.importing.logs import as_json, read_logs
from tests.cases_check import case_differences

TIMINGS = {
    "init_us": "init",
    "first_inference_us": "first",
    "warmup_avg_us": "warmup_mean",
    "inference_avg_us": "mean",
    "min_us": "min",
    "max_us": "max",
    "std_us": "std",
    "p5_us": "p5",
    "median_us": "median",
    "p95_us": "p95",
}
MEMORY = {"memory_init_mb": "init", "memory_overall_mb": "overall", "peak_memory_mb": "peak"}
PLAIN = {
    "runs": "runs",
    "model_size_mb": "model_mb",
    "delegate_kernels": "kernels",
    "delegated_nodes": "nodes_delegated",
    "total_nodes": "nodes_total",
    "partitions": "partitions",
}


def differences(expected: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    """One line per value that is not as it was read by hand; null there must be null here, too, for numbers."""
    pairs = [(key, expected.get(key), found["timings_us"][name]) for key, name in TIMINGS.items()]
    pairs += [(key, expected.get(key), found["memory_mb"][name]) for key, name in MEMORY.items()]
    pairs += [(key, expected.get(key), found[name]) for key, name in PLAIN.items()]
    yield from (f"{key}: {there} by hand, {here} read" for key, there, here in pairs if there != here)
    yield from _words(expected, found)
    yield from _profile(expected, found)


def _words(expected: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    status = expected["status"]
    result = expected.get("inference_avg_us") is not None
    wanted = {"partial": "incomplete", "fallback-none-delegated": "ok"}.get(status, status)
    if status == "unknown":  # condensed by hand: what is left of it decides
        wanted = "ok" if result else "incomplete"
    if found["status"] != wanted:
        yield f"status: {status} by hand, {found['status']} read"
    if status == "fallback-none-delegated" and found["verdict"] not in {"none", "unavailable"}:
        yield f"verdict: {status} by hand, {found['verdict']} read"
    if expected.get("delegate") and expected["delegate"].lower() != found["delegate"]:
        yield f"delegate: {expected['delegate']} by hand, {found['delegate']} read"
    if expected.get("delegation") and expected["delegation"] != found["verdict"]:
        yield f"verdict: {expected['delegation']} by hand, {found['verdict']} read"
    telling = [expected.get("error"), *(expected.get("extra") or {}).values()]
    if bool(expected.get("error")) != bool(found["error"]):
        yield f"error: {expected.get('error')} by hand, {found['error']} read"
    elif found["error"] and not any(_same_line(line, found["error"]) for line in telling if isinstance(line, str)):
        yield f"error: {expected['error']} by hand, {found['error']} read"


def _same_line(there: str, here: str) -> bool:
    return there in here or here in there


def _profile(expected: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    """The top rows; shares within half a point, since they are recomputed from rounded times."""
    extra = expected.get("extra") or {}
    rows = (
        ("top_op", expected.get("top_op"), found["profile"]["by_op"]),
        ("top_type", extra.get("top_type"), found["profile"]["by_type"]),
    )
    for key, there, here in rows:
        if there is None:
            continue
        share = 0.5 if there[1] > 1 else 100  # the oldest tables print shares that are too small by the run count
        if not here or here[0]["type"] != there[0] or abs(here[0]["percent"] - there[1]) > share:
            yield f"{key}: {there} by hand, {[(row['type'], row['percent']) for row in here[:1]]} read"
    if "run_order_rows" in extra and len(found["profile"]["by_op"]) != extra["run_order_rows"]:
        yield f"rows of the profile: {extra['run_order_rows']} by hand, {len(found['profile']['by_op'])} read"


def check(folder: Path) -> list[str]:
    """The differences of one log; several launches in one text: the first is meant, and their number is checked."""
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    found = read_logs([(folder.name, (folder / "log.txt").read_bytes())])
    if "launches" in expected:
        return list(
            case_differences(expected["launches"], [as_json(one.launch, one.source, one.index) for one in found])
        )
    count = (expected.get("extra") or {}).get("runs_in_log", 1)
    if len(found) != count:
        return [f"launches: {count} by hand, {len(found)} read"]
    return list(differences(expected, as_json(found[0].launch, found[0].source, found[0].index)))


def main(arguments: list[str]) -> int:
    places = [Path(argument) for argument in arguments]
    if not places or not all(place.is_dir() for place in places):
        print("usage: python -m tests.logs_check FOLDER...", file=sys.stderr)
        return 2
    folders = [path.parent for place in places for path in sorted(place.glob("*/expected.json"))]
    folders = [folder for folder in folders if (folder / "log.txt").is_file()]
    wrong = 0
    for folder in folders:
        problems = check(folder)
        wrong += bool(problems)
        print(f"{'differs' if problems else 'ok':8}{folder.name}")
        for problem in problems:
            print(f"        {problem}")
    print(f"{len(folders) - wrong} of {len(folders)} logs are read as by hand")
    return 1 if wrong or not folders else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
