"""Which generation of the tool a binary is, and which flags it knows: its own usage text."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from benchbench.runtimes.tflite.benchmark_model.log_prefixes import strip, to_text
from benchbench.values.errors import ToolError, Unsupported
from benchbench.values.process_end import how_it_ended

_FLAG = re.compile(r"^\s*--([A-Za-z][\w-]*)(?:=(\S*)|\s|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """`tflite`: interpreter and delegates; `litert`: CompiledModel (the tool of the same name)."""

    name: Literal["tflite", "litert"]
    flags: frozenset[str]
    defaults: Mapping[str, str] = field(default_factory=dict, compare=False)  # of its flags, as its usage shows them

    def needed(self, arguments: tuple[str, ...], usual: Collection[str]) -> tuple[str, ...]:
        """The arguments without those of the `usual` ones that this build does not know, or does anyway."""

        def says_something(argument: str) -> bool:
            name, _, value = argument.removeprefix("--").partition("=")
            return argument not in usual or self.defaults.get(name, value) != value

        return tuple(filter(says_something, arguments))

    def refuse_unknown(self, arguments: tuple[str, ...]) -> None:
        """Raises Unsupported for a flag that this build does not know: it would run on without it, on the CPU."""
        if reason := self.unknown(arguments):
            raise Unsupported(
                reason, remedy="use a build that has this delegate or option, or leave it out of the matrix"
            )

    def unknown(self, arguments: tuple[str, ...]) -> str | None:
        """Which of these flags this build does not know; None = it knows them all."""
        names = [name for argument in arguments if (name := flag_name(argument)) not in self.flags]
        return f"this benchmark_model ({self.name}) does not know --{', --'.join(names)}" if names else None


def flag_name(argument: str) -> str:
    return argument.removeprefix("--").partition("=")[0]


def usage_argv(binary: str) -> tuple[str, ...]:
    """The command that makes the tool print its usage: a value that is none does so in every generation.

    `--help` does not since LiteRT v2.2.0: a library in the tool takes it, and knows no flag.
    """
    return (binary, "--num_runs=x")


def read_usage(stdout: bytes, stderr: bytes, exit_code: int) -> Capabilities:
    """Raises ToolError with the tool's telling line where it cannot be run, or is another program."""
    text = to_text(stdout) + "\n" + to_text(stderr)
    defaults = dict(_FLAG.findall(text))
    flags = frozenset(defaults)
    if "graph" in flags and "num_runs" in flags:
        newer = "use_npu" in flags or "dispatch_library_path" in flags
        return Capabilities("litert" if newer else "tflite", flags, defaults)
    said = [strip(line).body for line in text.splitlines() if line.strip()]
    telling = next((line for line in said if "STARTING" not in line), "it printed nothing")
    raise ToolError(
        f"benchmark_model could not be asked for its flags, it {how_it_ended(exit_code)}: {telling[:200]}",
        remedy="give the build for the device's system and ABI",
    )
