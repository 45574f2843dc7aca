"""The command line: `--name=value` and nothing else, the first occurrence wins, the rest is left unconsumed."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, NamedTuple, NoReturn

Values = dict[str, Any]


class Flag(NamedTuple):
    name: str
    kind: str
    default: str
    label: str  # in the echo of the parameters; "" = not echoed


FLAGS = [
    Flag("num_runs", "int32", "50", "Min num runs"),
    Flag("min_secs", "float", "1", "Min runs duration (seconds)"),
    Flag("max_secs", "float", "150", "Max runs duration (seconds)"),
    Flag("run_delay", "float", "-1", "Inter-run delay (seconds)"),
    Flag("num_threads", "int32", "-1", "Num threads"),
    Flag("warmup_runs", "int32", "1", "Min warmup runs"),
    Flag("warmup_min_secs", "float", "0.5", "Min warmup runs duration (seconds)"),
    Flag("verbose", "bool", "false", ""),
    Flag("report_peak_memory_footprint", "bool", "false", "Report the peak memory footprint"),
    Flag("memory_footprint_check_interval_ms", "int32", "50", "Memory footprint check interval (ms)"),
    Flag("graph", "string", "", "Graph"),
    Flag("signature_to_run_for", "string", "", "Signature to run"),
    Flag("input_layer", "string", "", "Input layers"),
    Flag("input_layer_shape", "string", "", "Input shapes"),
    Flag("input_layer_value_range", "string", "", "Input value ranges"),
    Flag("input_layer_value_files", "string", "", "Input value files"),
    Flag("require_full_delegation", "bool", "false", "Require full delegation"),
    Flag("enable_op_profiling", "bool", "false", "Enable op profiling"),
    Flag("op_profiling_output_mode", "string", "stdout", "Op profiling output mode."),
    Flag("op_profiling_output_file", "string", "", "Op profiling output file."),
    Flag("export_model_runtime_info", "bool", "false", "Enable Model Runtime Info Export"),
    Flag("model_runtime_info_output_file", "string", "", "Proto File to export model runtime info to"),
    Flag("output_filepath", "string", "", "File path to export outputs layer to"),
    Flag("result_file_path", "string", "", "File path to save the benchmark result in binary proto format"),
    Flag("help", "bool", "false", ""),
    Flag("use_xnnpack", "bool", "false", "Use xnnpack"),
    Flag("xnnpack_force_fp16", "bool", "false", "xnnpack_force_fp16"),
    Flag("xnnpack_weight_cache_file_path", "string", "", "xnnpack_weight_cache_file_path"),
    Flag("external_delegate_path", "string", "", "External delegate path"),
    Flag("external_delegate_options", "string", "", "External delegate options"),
]
LINKED_BUT_USELESS = [  # what a desktop build with these providers knows and cannot do
    Flag("use_gpu", "bool", "false", "Use gpu"),  # and none of the GPU's options
    Flag("use_nnapi", "bool", "false", "Use NNAPI"),
    Flag("nnapi_execution_preference", "string", "", "NNAPI execution preference"),
    Flag("nnapi_accelerator_name", "string", "", "NNAPI accelerator name"),
    Flag("disable_nnapi_cpu", "bool", "true", "Disable NNAPI cpu"),
    Flag("nnapi_allow_fp16", "bool", "false", "Allow fp16 in NNAPI"),
]
ALWAYS_ECHOED = {"graph", "signature_to_run_for"}


class Failed(Exception):
    """The tool gives up: these lines on stderr, then "Benchmarking failed." and exit status 1."""


def known() -> list[Flag]:
    return FLAGS + (LINKED_BUT_USELESS if os.environ.get("STANDIN_GPU") == "refused" else [])


def info(text: str, severity: str = "INFO") -> None:
    sys.stdout.write(f"{severity}: {text}\n")
    sys.stdout.flush()


def error(text: str, severity: str = "ERROR") -> None:
    sys.stderr.write(f"{severity}: {text}\n")
    sys.stderr.flush()


def fatal(text: str) -> NoReturn:
    error(text, "FATAL")
    os.abort()  # as the tool does: SIGABRT


def number(value: float) -> str:
    """As a C++ stream prints it: six significant digits."""
    return f"{value:.6g}"


def read(kind: str, text: str) -> Any:
    if kind == "bool":
        return {"true": True, "1": True, "false": False, "0": False}[text]
    if kind == "int32":
        return int(float(text))
    return float(text) if kind == "float" else text


def parse(argv: list[str]) -> tuple[Values, list[str], list[str]]:
    """Values by flag name, the names given in their order, and the arguments that nobody consumed."""
    kinds, given, rest = {flag.name: flag.kind for flag in known()}, list[str](), list[str]()
    values: Values = {flag.name: read(flag.kind, flag.default) for flag in known()}
    for argument in argv[1:]:
        match = re.fullmatch(r"--(\w+)=(.*)", argument, re.DOTALL)
        if argument == "--help":
            match = re.fullmatch(r"--(\w+)=(.*)", "--help=true")
        if match is None or match[1] not in kinds or match[1] in given:
            rest.append(argument)
            continue
        try:
            values[match[1]] = read(kinds[match[1]], match[2])
        except (KeyError, ValueError):
            error(f"Failed to parse flag '{match[1]}' against argv '{argument}'")
            usage(argv[0])
            raise Failed from None
        given.append(match[1])
    return values, given, rest


def usage(program: str) -> None:
    left = {flag.name: f"--{flag.name}={flag.default}" for flag in known()}
    width = max(map(len, left.values()))
    rows = [f"\t{left[f.name]:{width}}\t{f.kind}\toptional\t{(f.label or f.name).lower()}" for f in known()]
    error("\n".join([f"usage: {program} <flags>", "Flags:", *rows, ""]))


def echo(values: Values, given: list[str]) -> None:
    info(f"Log parameter values verbosely: [{int(values['verbose'])}]")
    for flag in known():
        if flag.label and (values["verbose"] or flag.name in given or flag.name in ALWAYS_ECHOED):
            info(f"{flag.label}: [{shown(flag.kind, values[flag.name])}]")


def shown(kind: str, value: Any) -> str:
    if kind == "float":
        return number(value)
    return str(int(value)) if kind == "bool" else str(value)
