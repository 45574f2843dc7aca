"""From the tool's text to launches."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from benchbench.runtimes.tflite.benchmark_model import profile, verdict
from benchbench.runtimes.tflite.benchmark_model.launch import Launch, split
from benchbench.runtimes.tflite.benchmark_model.log_events import Event, events
from benchbench.runtimes.tflite.benchmark_model.log_patterns import GENERIC, HARMLESS
from benchbench.runtimes.tflite.benchmark_model.log_prefixes import strip, to_lines, to_text
from benchbench.values.outcome import Memory, Timings

_DEFAULT_RUNS = 50  # of the tool, where no flag says another number
PERCENTILE_METHOD = "lower index, floor(n*p/100)"
_UNITS = {"us": Decimal(1), "ms": Decimal(1000), "s": Decimal(1_000_000)}
_BLOCK = {
    "Model initialization": "init",
    "Warmup (first)": "first",
    "First inference": "first",
    "Warmup (avg)": "warmup_mean",
    "Inference (avg)": "mean",
    "Inference (min)": "min",
    "Inference (max)": "max",
    "Inference (std)": "std",
    "Inference (p5)": "p5",
    "Inference (median)": "median",
    "Inference (p95)": "p95",
}
_MOST_WARNINGS = 50
_EXPECTED = "but flags call it"  # we name inputs by their position, and the tool says that it noticed


def read_text(data: str | bytes) -> list[Launch]:
    """Every launch in a text, in order; none where no tool spoke."""
    lines = to_lines(to_text(data))
    return [_launch(lines, found) for found in split(events(lines))]


def read_launch(data: str | bytes, flags: Sequence[str] = ()) -> Launch:
    """All of a text as the output of one process, however its streams were joined; `flags` is what it was asked."""
    lines = to_lines(to_text(data))
    asked = [Event("command", -1, "", {"rest": shlex.join(flags)})] if flags else []
    return _launch(lines, [*asked, *events(lines)])


def _launch(lines: Sequence[str], found: Sequence[Event]) -> Launch:
    warmup, main = _counts(found)
    timings = _timings(found, warmup, main)
    runs = _counted(main) if main else _block_runs(found, "Inference (avg)")
    measured = timings.mean is not None and runs != 0
    status, error = _status(found, measured)
    ops = profile.of_tables(lines, found)
    return Launch(
        status=status,
        error=error,
        timings=timings if measured else timings.model_copy(update={"mean": None}),
        runs_asked=_runs_asked(found) or _asked_by_header(found, main),
        runs=runs,
        warmup_runs=_counted(warmup) if warmup else _block_runs(found, "Warmup (avg)"),
        threads=_threads(found),
        graph=_graph(found),
        memory=_memory(found),
        model_mb=_first(found, "size", "mb"),
        delegation=verdict.weigh(found, ops),
        profile=ops,
        unconsumed=tuple(flag for e in found if e.kind == "unconsumed" for flag in e.values.get("flags", "").split()),
        warnings=_warnings(found, status),
        generation=_generation(found),
    )


def _counted(count: Event) -> int | None:
    return int(count.values["count"]) if "count" in count.values else None


def _first(found: Sequence[Event], kind: str, key: str) -> float | None:
    return next((float(e.values[key]) for e in found if e.kind == kind and key in e.values), None)


def _value(event: Event | None, key: str) -> float | None:
    return float(event.values[key]) if event is not None and key in event.values else None


def _scaled(text: str, unit: str) -> float:
    """Exact in decimal: 17.187 ms is 17187 µs."""
    return float(Decimal(text) * _UNITS[unit])


def _mean_of(count: Event) -> float | None:
    """One run, or runs that were all the same, have no avg of their own."""
    mean = _value(count, "avg")
    return mean if mean is not None or not _all_the_same(count) else _value(count, "curr")


def _all_the_same(count: Event) -> bool:
    """One run, or runs of the same time: only the last of them is printed."""
    return "same" in count.values or count.values.get("count") == "1"


def _counts(found: Sequence[Event]) -> tuple[Event | None, Event | None]:
    """The count line of the warm-up and that of the measurement; a lone one is told by its company."""
    counts = [event for event in found if event.kind == "count"]
    if len(counts) != 1:
        return (counts[0], counts[1]) if counts else (None, None)
    match _part_of(counts[0], found):
        case "warm-up":
            return counts[0], None
        case "measurement":
            return None, counts[0]
        case None:
            return None, None


def _part_of(only: Event, found: Sequence[Event]) -> Literal["warm-up", "measurement"] | None:
    """What the only count line is of; None where it is of neither by the summary's means."""
    if found[0].kind == "option":  # a row of a summary is of the measurement
        return "measurement"
    headers = [event for event in found if event.kind == "header" and event.at < only.at]
    if len(headers) >= 2:
        return "measurement"
    if headers:
        # A text that begins with the measuring loop: a warm-up of more than one run is rare.
        begins = not any(event.kind in {"start", "init", "loaded"} for event in found)
        return "measurement" if begins and int(headers[0].values["least"]) > 1 else "warm-up"
    summary = next((event for event in found if event.kind == "summary"), None)
    if summary is not None:
        mean = _mean_of(only)
        if mean is None:
            return None
        shown = float(f"{mean:.6g}")
        if shown == _value(summary, "mean"):
            return "measurement"
        return "warm-up" if shown == _value(summary, "warmup") else None
    # Where the lines around it were left out: nobody keeps the warm-up alone.
    return "measurement" if only.values.get("count") == str(_runs_asked(found) or _DEFAULT_RUNS) else "warm-up"


def _timings(found: Sequence[Event], warmup: Event | None, main: Event | None) -> Timings:
    summary = next((event for event in found if event.kind == "summary"), None)
    block = {_BLOCK[e.values["key"]]: _scaled(e.values["value"], "ms") for e in found if e.values.get("key") in _BLOCK}
    init = next((_scaled(e.values["time"], e.values["unit"]) for e in found if e.kind == "init"), block.get("init"))
    values: dict[str, float | None] = {"init": init}
    if warmup is not None and warmup.values.get("count") != "0":
        values |= {"first": _value(warmup, "first"), "warmup_mean": _mean_of(warmup)}
        if values["first"] is None and _all_the_same(warmup):
            values["first"] = _value(warmup, "curr")
    if main is not None and main.values.get("count") != "0":
        values |= _steady(main)
    values |= {name: value for name, value in block.items() if values.get(name) is None}
    if summary is not None:
        values |= _summarised(summary, values)
    if values.get("mean") is None:
        values["mean"] = _first(found, "condensed", "mean")
    if _without_warmup(values, warmup, _block_runs(found, "Warmup (avg)")):
        values |= {"first": None, "warmup_mean": None}
    method = PERCENTILE_METHOD if values.get("p5") is not None else None
    return Timings.model_validate({**values, "percentile_method": method})


def _without_warmup(values: dict[str, float | None], warmup: Event | None, runs: int | None) -> bool:
    """No warm-up was run: the tool prints 0 for its times, which is none."""
    counted = int(warmup.values.get("count", "1")) if warmup is not None else runs
    if counted is not None:
        return counted == 0
    return values.get("first") == 0 == values.get("warmup_mean") and (values.get("mean") or 0) >= 1


def _steady(main: Event) -> dict[str, float | None]:
    mean, last = _mean_of(main), _value(main, "curr")
    values = {name: _value(main, name) for name in ("min", "max", "std", "p5", "median", "p95")}
    if _all_the_same(main):
        values |= {"min": last, "max": last}
    ordered = [values[name] for name in ("min", "p5", "median", "p95", "max")]
    known = [value for value in ordered if value is not None]
    if known != sorted(known):  # a line that was cut in a number
        values |= {"p5": None, "median": None, "p95": None}
    return {"mean": mean, **values}


def _summarised(summary: Event, values: dict[str, float | None]) -> dict[str, float | None]:
    """The summary's own numbers; where it was cut in its last one, the count line's mean stands."""
    said = {
        "init": _value(summary, "init"),
        "first": _value(summary, "first"),
        "warmup_mean": _value(summary, "warmup"),
        "mean": _value(summary, "mean"),
    }
    counted = values.get("mean")
    if counted is not None and said["mean"] is not None and float(f"{counted:.6g}") != said["mean"]:
        said["mean"] = counted
    if said["init"] is None:
        said["init"] = values.get("init")
    return said


def _status(found: Sequence[Event], measured: bool) -> tuple[str, str | None]:
    """ok only with a steady mean and no sign of giving up; otherwise the first telling line."""
    row = next((event for event in found if event.kind == "option" and "failed" in event.values["result"]), None)
    if row is not None:
        return "failed", row.line
    fatal = [event for event in found if event.kind in {"fatal", "crash"}]
    if measured and not any(event.kind == "crash" or _ends(event) for event in fatal):
        return "ok", None
    spoke = [event for event in found if event.kind not in {"warning", "parameter"}]
    stopped = bool(spoke) and spoke[-1].kind == "error" and not HARMLESS.search(spoke[-1].line)
    return ("failed", _telling(found)) if fatal or stopped else ("incomplete", None)


def _telling(found: Sequence[Event]) -> str:
    """The first line that says why, of those of its kind that say most; there is an error."""
    lines = [event.line for event in found if event.kind in {"error", "fatal", "crash"}]
    harmful = [line for line in lines if not HARMLESS.search(line)]
    specific = [line for line in harmful if not GENERIC.search(line)]
    return (specific or harmful or lines)[0]


def _ends(event: Event) -> bool:
    """What ends a launch also when a result stands above it."""
    body = event.values["body"]
    return "Benchmarking failed" in body or "failed to invoke" in body or strip(event.line).severity == "F"


def _number_of(found: Sequence[Event], name: str) -> int | None:
    for event in found:
        if event.kind == "parameter" and event.values["name"] == name:
            text = event.values.get("value", "")
            return int(text) if text.isdigit() else None
        if event.kind == "setting" and name in event.values:
            return int(event.values[name])
    return None


def _runs_asked(found: Sequence[Event]) -> int | None:
    asked = _number_of(found, "num_runs")
    flag = _command(found, "num_runs")
    return asked if asked is not None else int(flag) if flag and flag.isdigit() else None


def _asked_by_header(found: Sequence[Event], main: Event | None) -> int | None:
    headers = [event for event in found if event.kind == "header" and main is not None and event.at < main.at]
    return int(headers[-1].values["least"]) if headers else None


def _block_runs(found: Sequence[Event], key: str) -> int | None:
    return next((int(e.values["runs"]) for e in found if e.values.get("key") == key and "runs" in e.values), None)


def _command(found: Sequence[Event], flag: str) -> str | None:
    commands = [event for event in found if event.kind == "command"]
    return verdict.command_flags(commands[-1].values.get("rest", "")).get(flag) if commands else None


def _threads(found: Sequence[Event]) -> int | None:
    echoed = _number_of(found, "num_threads")
    asked = _command(found, "num_threads") or next((e.values.get("threads") for e in found if e.kind == "option"), None)
    return echoed if echoed is not None else int(asked) if asked and asked.isdigit() else None


def _graph(found: Sequence[Event]) -> str | None:
    for event in found:
        if event.kind == "parameter" and event.values["name"] == "graph" and event.values.get("value"):
            return event.values["value"]
    loaded = next((event.values["graph"] for event in found if event.kind == "loaded"), None)
    return loaded or _command(found, "graph")


def _memory(found: Sequence[Event]) -> Memory:
    block = {e.values["key"]: float(e.values["value"]) for e in found if e.kind == "block"}
    init, overall = _first(found, "memory", "init"), _first(found, "memory", "overall")
    peak = _first(found, "peak", "mb")
    return Memory(
        init_delta_mb=init if init is not None else block.get("Init footprint"),
        overall_delta_mb=overall if overall is not None else block.get("Overall footprint"),
        peak_polled_mb=peak if peak is not None else block.get("Peak memory"),
    )


def _warnings(found: Sequence[Event], status: str) -> tuple[str, ...]:
    """Warnings, and errors that did no harm, each once."""
    kinds = {"warning", "unconsumed", "unavailable"} | ({"error", "fatal"} if status == "ok" else set())
    told = [event.line for event in found if event.kind in kinds and _EXPECTED not in event.line]
    return tuple(dict.fromkeys(told))[:_MOST_WARNINGS]


def _generation(found: Sequence[Event]) -> str | None:
    if any(event.kind in {"block", "setting"} or "benchmark_litert_model" in event.line for event in found):
        return "litert"
    return "tflite" if any(event.kind in {"summary", "parameter", "applied", "size"} for event in found) else None
