"""Which generation of the tool a binary is, and which flags it knows: its own answer to --help."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from benchbench.errors import ToolError
from benchbench.runners.benchmark_model.prefixes import strip, to_text

_FLAG = re.compile(r"^\s*--([A-Za-z][\w-]*)(?:=|\s|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Generation:
    """`tflite`: interpreter and delegates; `litert`: CompiledModel (the tool of the same name)."""

    name: Literal["tflite", "litert"]
    flags: frozenset[str]

    def refuse_unknown(self, arguments: tuple[str, ...]) -> None:
        """Raises ToolError for a flag that this build does not know: it would run on without it, on the CPU."""
        unknown = [name for argument in arguments if (name := flag_name(argument)) not in self.flags]
        if unknown:
            raise ToolError(
                f"this benchmark_model ({self.name}) does not know --{', --'.join(unknown)}",
                remedy="use a build that has this delegate or option, or leave it out of the matrix",
            )


def flag_name(argument: str) -> str:
    return argument.removeprefix("--").partition("=")[0]


def help_argv(binary: str) -> tuple[str, ...]:
    """The command that makes the tool list its flags; its exit status is 1 in the older generation, 0 in the newer."""
    return (binary, "--help")


def read_help(stdout: bytes, stderr: bytes, exit_code: int) -> Generation:
    """Raises ToolError with the tool's telling line where it cannot be run, or is another program."""
    text = to_text(stdout) + "\n" + to_text(stderr)
    flags = frozenset(_FLAG.findall(text))
    if "graph" in flags and "num_runs" in flags:
        newer = "use_npu" in flags or "dispatch_library_path" in flags
        return Generation("litert" if newer else "tflite", flags)
    said = [strip(line).body for line in text.splitlines() if line.strip()]
    telling = next((line for line in said if "STARTING" not in line), "it printed nothing")
    raise ToolError(
        f"benchmark_model could not be asked for its flags (exit status {exit_code}): {telling[:200]}",
        remedy="give the build for the device's system and ABI",
    )
