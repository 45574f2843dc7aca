"""The patterns of every line of every dialect of benchmark_model, 2018 to today.

They are from the tool's sources (tflite/tools/benchmark, tflite/tools/delegates, litert/tools, and their ancestors in
TensorFlow) and from recorded outputs. Fixed words stand beside each pattern: a line without them is not looked at.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from benchbench.runtimes.tflite.backends.log_names import summary_row
from benchbench.runtimes.tflite.backends.owners import FLAGS, LOG_NAMES

# possessive: no digit is given back; what no float holds (1e999) is no number
NUMBER = r"-?(?:\d{1,99}+(?:\.\d++)?|\.\d++)(?:e[+-]?\d{1,2}+)?(?![\de])"
# what an author, or a tool without a number, writes in a number's place
ELIDED = r"(?:\.{2,}|…|-?nan|[*?xX_]+|<[\w .]{0,30}>|\[(?:\.{2,}|…)\]|n/?a)"
_GAP = r" (?:(?:\.{2,}|…|\[(?:\.{2,}|…)\]) )?"


def _value(name: str) -> str:
    return rf"(?:(?P<{name}>{NUMBER})|{ELIDED})"


def _fields(*names: str) -> str:
    return "".join(rf"(?:{_GAP}{name}={_value(name)})?" for name in names)


_TAKEN = r"(?P<extent>completely|partially) executed (?:by|w/) the delegate"
_COUNTED = rf"{_GAP}(?:first|curr|min|max|avg|std|p5|median|p95)="
_HOST = r"(?:\([\w.-]+\) )?(?:[\w.-]+@)?[\w.-]+[: ]\S{0,200} ?"  # before the mark of a shell's prompt
_PROGRAM = r"(?!\S*benchmark)[\w./~-]+(?=\s|$)"


class LinePattern(NamedTuple):
    """What a line tells, the words that it must hold, its pattern, and the only delegate that it can be about."""

    kind: str
    words: str
    pattern: re.Pattern[str]
    delegate: str | None = None


_COMMON = tuple(
    LinePattern(kind, words, re.compile(pattern))
    for kind, words, pattern in (
        ("start", "STARTING!", r"STARTING!"),
        ("loaded", "oad", r"(?:Loaded model|Loading model from:) (?P<graph>\S.*)"),
        ("loaded", "Model: ", r"benchmark_litert_model: Model: +(?P<graph>\S.*)"),
        ("setting", "Num threads: ", r"benchmark_litert_model: Num threads: +(?P<num_threads>\d+)"),
        ("setting", "Benchmark runs: ", r"benchmark_litert_model: Benchmark runs: +(?P<num_runs>\d+)"),
        ("size", "The input model file size", rf"The input model file size \(MB\): (?P<mb>{NUMBER})"),
        ("init", "Initialized session in", rf"Initialized session in (?P<time>{NUMBER}) ?(?P<unit>us|ms|s)\b"),
        ("header", "Running benchmark for", r"Running benchmark for (?:at least |max )?(?P<least>\d+) iterations"),
        (
            "count",
            "count=",
            # not the lines of a profile; nothing else that counts, either
            r"(?<!Timings \(microseconds\): )(?<!Memory \(bytes\): )"
            rf"\bcount=(?:(?P<count>0(?=\s*$)|\d+(?={_COUNTED}))|{ELIDED}(?={_COUNTED}))"
            + _fields("first", "curr")
            + r"(?P<same>\(all same\))?"
            + _fields("min", "max", "avg", "std", "p5", "median", "p95"),
        ),
        ("option", " threads", summary_row(r"cpu w/ (?P<threads>\d+) threads")),
        (
            "summary",
            "nference timings in us",
            rf"Inference timings in us: Init: {_value('init')}, First inference: {_value('first')}, "
            rf"Warmup \(avg\): {_value('warmup')}, Inference \(avg\): {_value('mean')}",
        ),
        (
            "summary",
            "verage inference timings in us",
            rf"Average inference timings in us: Warmup: {_value('warmup')}, "
            rf"(?:Init: {_value('init')}, )?(?:no stats|Inference): {_value('mean')}",
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
            rf"init={_value('init')} overall={_value('overall')}",
        ),
        (
            "peak",
            "periodic monitoring",
            rf"Overall peak memory footprint \(MB\) via periodic monitoring: (?P<mb>{NUMBER})",
        ),
        ("created", "delegate created.", r"(?P<name>[\w-]{1,60}) delegate created\."),
        (
            "created",
            "Created TensorFlow Lite ",
            r"Created TensorFlow Lite delegate for (?P<name>\w+)",
        ),
        (
            "applied",
            "pplied ",
            rf"[Aa]pplied (?P<name>[\w-]{{1,60}}) delegate, and the model graph will be {_TAKEN}"
            r"(?: w/ (?P<kernels>\d+) delegate)?",
        ),
        ("not_taken", "Though ", r"Though (?P<name>[\w-]{1,60}) delegate is .*the model graph will not be executed"),
        (
            "replacing",
            "Replacing ",
            r"Replacing (?P<nodes>\d+)(?: out of (?P<total>\d+))? node\(s\) with delegate \((?P<name>[^)]*)\)"
            r"(?: node, yielding (?P<partitions>\d+) partitions(?: for subgraph (?P<subgraph>\d+))?)?",
        ),
        (
            "simple",
            "nodes delegated out of",
            r"(?P<name>[\w-]{1,60}) delegate: (?P<nodes>\d+) nodes delegated out of (?P<total>\d+) nodes with "
            r"(?P<partitions>\d+) partitions",
        ),
        (
            "unavailable",
            "unsupported on this platform",
            r"\b(?P<name>\w++) acceleration is unsupported on this",
        ),
        ("unavailable", "ould not create", r"Could not create (?P<name>\w+) delegate"),
        ("unavailable", "must be set for the provided", r"use_(?P<name>\w+)=true` must be set for the provided"),
        # Said whether or not anybody asked for that delegate.
        ("remark", "could not be loaded", r"\b(?P<name>\w++) accelerator could not be loaded and registered"),
        ("wanted", "Accelerators: ", r"Accelerators: +(?P<accelerators>\w+(?: \| \w+)*)\s*$"),
        # What was replaced did not come to life.
        ("undone", "delegate kernel", r"Failed to create an? (?P<name>\w+) delegate kernel"),
        ("undone", "failed to prepare", r"Node number \d+ \((?P<name>[^)]*)\) failed to prepare"),
        ("undone", "TfLite", r"\b(?P<name>TfLite\w{1,40}) (?:Init|Prepare): "),
        ("unconsumed", "Unconsumed cmdline flags:", r"Unconsumed cmdline flags: (?P<flags>.*)"),
        ("not_applied", "Failed to apply ", r"Failed to apply (?P<name>[\w-]{1,60}) delegate"),
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
        ("statistics", "Delegate Statistics", r"=== Delegate Statistics ==="),
        ("executed", "Number of nodes executed", r"Number of nodes executed: (?P<nodes>\d+)"),
        (
            "timings",
            "Timings (micro",
            r"Timings \(microseconds\): count=\d+"
            + _fields("first", "curr")
            + r"(?:\(all same\))?"
            + _fields("min", "max", "avg"),
        ),
        # Another program at a prompt, and what label_image prints at its end.
        ("other", "$ ", rf"^(?:{_HOST})?\$ +{_PROGRAM}"),
        ("other", "# ", rf"^(?:{_HOST}# +{_PROGRAM}|# (?=\.?/){_PROGRAM})"),
        ("other", "+ ", rf"^\++ {_PROGRAM}"),
        ("ended", "average time: ", r"\baverage time: [\d.]+ ms"),
        (
            "command",
            "enchmark",
            r"(?:benchmark[-_]model\S*\s+(?=.*--|\\$)|BenchmarkModelActivity.*--es args\s|benchmark with args: )"
            r"(?P<rest>.*)",
        ),
    )
)
PATTERNS = (
    *_COMMON,
    *(
        LinePattern(line.event, line.words, re.compile(line.pattern), delegate)
        for delegate, names in LOG_NAMES.items()
        for line in names.lines
    ),
)
LABELS = {  # of the echo -> the parameter
    "num runs": "num_runs",
    "min num runs": "num_runs",
    "num threads": "num_threads",
    "#threads used for cpu inference": "num_threads",
    "graph": "graph",
    "log parameter values verbosely": "verbose",
    **{flag.replace("_", " "): flag for flag in FLAGS},
    **{label: parameter for names in LOG_NAMES.values() for label, parameter in names.echoes},
}

# What says that the tool or the process gave up; "crash" kinds carry no severity of their own.
GIVING_UP = re.compile(
    r"Benchmarking failed|Failed to apply \S+ delegate|failed to (?:prepare|invoke)|Failed to load model|"
    r"Failed to allocate tensors|unresolved custom op|not supported by this interpreter|Disallowed CPU fallback|"
    r"Failed to construct interpreter|Didn't find op for builtin|not a valid Flatbuffer|Failed to compile model|"
    r"Failed to create litert environment|Failed to parse flag|Run failed|Some ops are not accelerated|"
    r"execution plan after delegate application failure|NN API returned error \w+ at line \d+"
)
# What a shell prints of a process that a signal ended.
SIGNALLED = re.compile(
    r"^(?:\S+: )?(?:line \d+: +)?(?:\d+ )?(?:Segmentation fault|Bus error|Illegal instruction|Floating point exception|"
    r"Trace/breakpoint trap|Aborted|Killed)\b"
)
CRASH = re.compile(
    rf"{SIGNALLED.pattern}|Fatal signal \d+ .*benchmark|^Fatal signal \d+|CANNOT LINK EXECUTABLE|"
    r"error while loading shared libraries|^terminate called|^terminating due to|^exit code [1-9]|"
    r"benchmark[-_]model\S*:? .*(?:not found|No such file|Permission denied|cannot execute|Exec format error)"
)
TROUBLE = (
    *("ERROR", "FATAL", "WARN", " E tflite", " W tflite", " F tflite", "E/tflite", "W/tflite", "F/tflite"),
    *("failed", "Failed", "ould not", "ouldn't", "unresolved", "not supported by", "not a valid", "not accelerated"),
    *("Didn't find op", "Disallowed", "NN API returned", "execution plan after", "Segmentation fault", "Bus error"),
    *("Illegal instruction", "Floating point exc", "breakpoint trap", "Aborted", "Killed", "Fatal signal", "terminat"),
    *("CANNOT LINK", "error while loading", "benchmark_model", "benchmark-model", "exit code "),
)
HARMLESS = re.compile(
    "|".join(
        (
            "couldn't be opened for reading",
            "Failed to save benchmark result",
            "Failed to open file",
            "[Cc]ould not open file",
            *(pattern for names in LOG_NAMES.values() for pattern in names.harmless),
        )
    )
)
GENERIC = re.compile(
    r"Benchmarking failed|Restored (?:original|previous) execution plan|Failed to apply \S+ delegate|usage: |"
    r"^exit code "
)
