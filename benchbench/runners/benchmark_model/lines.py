"""Every line of every dialect of benchmark_model (2018 to today), found behind whatever prefix a log puts before it.

Wordings are from the tool's sources and from recorded outputs. A line is looked at closely only when it holds one of
the fixed words below, so that a phone's whole logcat costs little.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from benchbench.runners.benchmark_model.prefixes import strip

NUMBER = r"-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"


@dataclass(frozen=True, slots=True)
class Event:
    """One line that means something: what kind, where, as printed, and what the pattern caught."""

    kind: str
    at: int
    line: str
    values: dict[str, str]


def _fields(*names: str) -> str:
    return "".join(rf"(?: {name}=(?P<{name}>{NUMBER}))?" for name in names)


_TAKEN = r"(?P<extent>completely|partially) executed (?:by|w/) the delegate"
# kind, words without which the line is not looked at, pattern
_PATTERNS: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (kind, words, re.compile(pattern))
    for kind, words, pattern in (
        ("start", "STARTING!", r"STARTING!"),
        ("loaded", "oad", r"(?:Loaded model|Loading model from:) (?P<graph>\S.*)"),
        ("size", "The input model file size", rf"The input model file size \(MB\): (?P<mb>{NUMBER})"),
        ("init", "Initialized session in", rf"Initialized session in (?P<time>{NUMBER}) ?(?P<unit>us|ms|s)\b"),
        ("header", "Running benchmark for", r"Running benchmark for (?:at least |max )?(?P<least>\d+) iterations"),
        (
            "count",
            "count=",
            # not the lines of a profile; nothing else that counts, either
            r"(?<!Timings \(microseconds\): )(?<!Memory \(bytes\): )"
            r"\bcount=(?P<count>0(?=\s*$)|\d+(?= (?:first|curr|p5)=))"
            rf"(?: first=(?P<first>{NUMBER}))?(?: curr=(?P<curr>{NUMBER})(?P<same>\(all same\))?)?"
            + _fields("min", "max", "avg", "std", "p5", "median", "p95"),
        ),
        (
            "summary",
            "nference timings in us",
            rf"Inference timings in us: Init: (?P<init>{NUMBER}), First inference: (?P<first>{NUMBER}), "
            rf"Warmup \(avg\): (?P<warmup>{NUMBER}), Inference \(avg\): (?P<mean>{NUMBER})",
        ),
        (
            "summary",
            "verage inference timings in us",
            rf"Average inference timings in us: Warmup: (?P<warmup>{NUMBER}), "
            rf"(?:Init: (?P<init>{NUMBER}), )?(?:no stats|Inference): (?P<mean>{NUMBER})",
        ),
        (
            "summary",
            "verage inference timings in us",
            rf"Average inference timings in us: (?P<mean>{NUMBER}) ?, Warmup: (?P<warmup>{NUMBER})",
        ),
        ("condensed", "Inference (avg):", rf"^[^,]*Inference \(avg\): (?P<mean>{NUMBER}) ?us\b"),
        ("block", "Model initialization:", rf"(?P<key>Model initialization): +(?P<value>{NUMBER}) ms"),
        ("block", "Warmup (", rf"(?P<key>Warmup \(\w+\)): +(?P<value>{NUMBER}) ms(?: \((?P<runs>\d+) runs\))?"),
        ("block", "Inference (", rf"(?P<key>Inference \(\w+\)): +(?P<value>{NUMBER}) ms(?: \((?P<runs>\d+) runs\))?"),
        ("block", "Inference (std)", rf"(?P<key>Inference \(std\)): +(?P<value>{NUMBER})\s*$"),
        ("block", "First inference:", rf"(?P<key>First inference): +(?P<value>{NUMBER}) ms"),
        ("block", " MB", rf"(?P<key>Init footprint|Overall footprint|Peak memory): +(?P<value>{NUMBER}) MB"),
        (
            "memory",
            "emory footprint",
            rf"(?:Memory footprint delta from the start of the tool|Peak memory footprint) \(MB\): "
            rf"init=(?P<init>{NUMBER}) overall=(?P<overall>{NUMBER})",
        ),
        (
            "peak",
            "periodic monitoring",
            rf"Overall peak memory footprint \(MB\) via periodic monitoring: (?P<mb>{NUMBER})",
        ),
        ("created", "delegate created.", r"(?P<name>[\w-]+) delegate created\."),
        (
            "created",
            "Created TensorFlow Lite ",
            r"Created TensorFlow Lite (?:(?P<name>XNNPACK) delegate for CPU|delegate for (?P<other>\w+))",
        ),
        (
            "applied",
            "pplied ",
            rf"[Aa]pplied (?P<name>[\w-]+) delegate, and the model graph will be {_TAKEN}"
            r"(?: w/ (?P<kernels>\d+) delegate)?",
        ),
        ("not_taken", "Though ", r"Though (?P<name>[\w-]+) delegate is .*the model graph will not be executed"),
        (
            "replacing",
            "Replacing ",
            r"Replacing (?P<nodes>\d+)(?: out of (?P<total>\d+))? node\(s\) with delegate \((?P<name>[^)]*)\)"
            r"(?: node, yielding (?P<partitions>\d+) partitions(?: for subgraph (?P<subgraph>\d+))?)?",
        ),
        (
            "simple",
            "nodes delegated out of",
            r"(?P<name>[\w-]+) delegate: (?P<nodes>\d+) nodes delegated out of (?P<total>\d+) nodes with "
            r"(?P<partitions>\d+) partitions",
        ),
        ("kernels", "GPU delegate kernels", r"Created (?P<kernels>\d+) GPU delegate kernels"),
        (
            "split",
            "will run on the GPU",
            r"(?P<nodes>\d+) operations will run on the GPU, and the \D*(?P<rest>\d+) operations",
        ),
        ("unavailable", "unsupported on this platform", r"(?P<name>\w+) acceleration is unsupported on this platform"),
        ("unavailable", "ould not create", r"Could not create (?P<name>\w+) delegate"),
        ("unavailable", "NNAPI support library", r"Couldn't load (?P<name>NNAPI) support library"),
        ("unavailable", "must be set for the provided", r"use_(?P<name>\w+)=true` must be set for the provided"),
        ("unavailable", "libneuralnetworks.so", r"(?P<name>nnapi) error: unable to open library"),
        ("unavailable", "stable", r"(?:Invalid TFLiteSettings for the|Failed to load) (?P<name>stable)[ _]"),
        ("unavailable", "external delegate from", r"Unable to load (?P<name>external) delegate from"),
        ("unavailable", "could not be loaded", r"(?P<name>\w+) accelerator could not be loaded and registered"),
        ("unconsumed", "Unconsumed cmdline flags:", r"Unconsumed cmdline flags: (?P<flags>.*)"),
        ("not_applied", "Failed to apply ", r"Failed to apply (?P<name>[\w-]+) delegate"),
        (
            "not_applied",
            "application failure",
            r"Restored (?:original|previous) execution plan after delegate application failure",
        ),
        (
            "profile",
            "Profiling Info for",
            r"Profiling Info for (?:Benchmark )?(?P<phase>Initialization|Regular Benchmark Runs)",
        ),
        ("table", "====", r"=== (?P<title>Run Order|Top by Computation Time|Summary by node type) ==="),
        (
            "command",
            "enchmark",
            r"(?:benchmark[-_]model\S*\s+(?=.*--|\\$)|BenchmarkModelActivity.*--es args\s|benchmark with args: )"
            r"(?P<rest>.*)",
        ),
    )
)
_PARAMETER = re.compile(r"(?:.*: )?(?P<label>#?[A-Za-z][^:\[\]]*?)\.? ?: \[(?P<value>.*)\]$")
LABELS = {
    "num runs": "num_runs",
    "min num runs": "num_runs",
    "num threads": "num_threads",
    "#threads used for cpu inference": "num_threads",
    "graph": "graph",
    "use gpu": "use_gpu",
    "use nnapi": "use_nnapi",
    "use legacy nnapi": "use_nnapi",
    "use hexagon": "use_hexagon",
    "use coreml": "use_coreml",
    "use xnnpack": "use_xnnpack",
    "use ynnpack": "use_ynnpack",
    "use npu": "use_npu",
    "external delegate path": "external_delegate_path",
    "nnapi accelerator name": "nnapi_accelerator_name",
    "nnapi accelerators available": "accelerators",
    "log parameter values verbosely": "verbose",
}

# What says that the tool or the process gave up; "crash" kinds carry no severity of their own.
_GIVING_UP = re.compile(
    r"Benchmarking failed|Failed to apply \S+ delegate|failed to (?:prepare|invoke)|Failed to load model|"
    r"Failed to allocate tensors|unresolved custom op|not supported by this interpreter|Disallowed CPU fallback|"
    r"Failed to construct interpreter|Didn't find op for builtin|not a valid Flatbuffer|Failed to compile model|"
    r"Failed to create litert environment|Failed to parse flag|Run failed|Some ops are not accelerated|"
    r"execution plan after delegate application failure|NN API returned error \w+ at line \d+"
)
_CRASH = re.compile(
    r"^(?:\S+: )?(?:line \d+: +)?(?:\d+ )?(?:Segmentation fault|Bus error|Illegal instruction|Floating point exception|"
    r"Trace/breakpoint trap|Aborted|Killed)\b|Fatal signal \d+ .*benchmark|^Fatal signal \d+|CANNOT LINK EXECUTABLE|"
    r"error while loading shared libraries|^terminate called|^terminating due to|"
    r"benchmark[-_]model\S*:? .*(?:not found|No such file|Permission denied|cannot execute|Exec format error)"
)
_TROUBLE = (
    *(
        "ERROR",
        "FATAL",
        "WARN",
        " E tflite",
        " W tflite",
        " F tflite",
        "E/tflite",
        "W/tflite",
        "F/tflite",
        "failed",
        "Failed",
    ),
    *(
        "Didn't find op",
        "unresolved",
        "not supported by",
        "Disallowed",
        "not a valid",
        "NN API returned",
        "not accelerated",
    ),
    *(
        "Segmentation fault",
        "Bus error",
        "Illegal instruction",
        "Floating point exc",
        "breakpoint trap",
        "Aborted",
        "Killed",
    ),
    *("Fatal signal", "CANNOT LINK", "error while loading", "terminat", "benchmark_model", "benchmark-model"),
    *("execution plan after", "ould not", "ouldn't"),
)
HARMLESS = re.compile(
    r"couldn't be opened for reading|Following operations are not supported by GPU|weight cache|"
    r"Failed to save benchmark result|Failed to open file|[Cc]ould not open file|Falling back to|"
    r"operations will run on the"
)
GENERIC = re.compile(
    r"Benchmarking failed|Restored (?:original|previous) execution plan|Failed to apply \S+ delegate|usage: "
)


def events(lines: list[str]) -> list[Event]:
    """What the lines say, in order; linear in their number."""
    return [event for at, line in enumerate(lines) if line for event in _events_of(lines, at, line)]


def _events_of(lines: list[str], at: int, line: str) -> Iterator[Event]:
    found = False
    for kind, words, pattern in _PATTERNS:
        if words in line and (match := _search(kind, pattern, lines, at)):
            found = True
            values = {key: value for key, value in match.groupdict().items() if value}
            yield Event(kind, at, match.string.strip(), _continued(lines, at, values) if kind == "command" else values)
    if ": [" in line and not found and (event := _parameter(at, line)):
        found = True
        yield event
    if any(word in line for word in _TROUBLE):
        yield from _trouble(at, line)


def _continued(lines: list[str], at: int, values: dict[str, str]) -> dict[str, str]:
    """A command that goes on after a backslash at the end of its line."""
    rest = values.get("rest", "")
    while rest.endswith("\\") and at + 1 < len(lines):
        at += 1
        rest = f"{rest[:-1].rstrip()} {lines[at].strip()}"
    return {"rest": rest.strip()}


def _parameter(at: int, line: str) -> Event | None:
    match = _PARAMETER.match(strip(line).body)
    name = LABELS.get(match["label"].strip().lower()) if match else None
    return Event("parameter", at, line.strip(), {"name": name, "value": match["value"]}) if match and name else None


def _trouble(at: int, line: str) -> Iterator[Event]:
    """Warnings and errors: by their severity, or by their words where a dialect gives none."""
    stripped = strip(line)
    body = stripped.body
    if stripped.foreign or not body:
        return
    if _CRASH.search(body):
        yield Event("crash", at, line.strip(), {"body": body})
    elif stripped.severity == "F" or _GIVING_UP.search(body):
        yield Event("fatal", at, line.strip(), {"body": body})
    elif stripped.severity == "E":
        yield Event("error", at, line.strip(), {"body": body})
    elif stripped.severity == "W":
        yield Event("warning", at, line.strip(), {"body": body})


_WRAPPED = {"summary", "applied", "not_taken", "memory", "replacing", "count"}


def _search(kind: str, pattern: re.Pattern[str], lines: list[str], at: int) -> re.Match[str] | None:
    """The pattern in this line, or in this line and what a narrow window or an author wrapped onto the next two."""
    match = pattern.search(lines[at])
    if kind not in _WRAPPED or (match and _whole(kind, match)):
        return match
    tail = [strip(line).body for line in lines[at + 1 : at + 3]]
    for joint in (" ", ""):
        for end in range(1, len(tail) + 1):
            joined = pattern.search(joint.join([lines[at].rstrip(), *tail[:end]]))
            if joined and joined.start() < len(lines[at].rstrip()) < joined.end() and _whole(kind, joined):
                return joined
    return match


def _whole(kind: str, match: re.Match[str]) -> bool:
    if kind == "count":
        return match["std"] is not None or match["first"] is None
    if kind == "applied":
        return match["extent"] == "completely" or match["kernels"] is not None
    return kind != "replacing" or match["partitions"] is not None
