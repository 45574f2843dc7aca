"""What a build of the tool can do: its options by its own help, and its providers by asking for each."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchbench.runtimes.onnxruntime.backends.base import PERF_TEST as TOOL
from benchbench.values.errors import ToolError
from benchbench.values.process_end import how_it_ended

# getopt's help until 1.22 has "\t-x [intra_op_num_threads]: …", absl's since then "    --x (…); default: 0;".
_OPTION = re.compile(r"^\s+--?([A-Za-z]\w*)(?=[\s:(])", re.MULTILINE)
_PROVIDERS = re.compile(r"^\s+--?e[\s\[(].*?(?=^\s+--?[A-Za-z])", re.MULTILINE | re.DOTALL)
_LEFT_OUT = re.compile(
    r"not (?:supported|enabled) in this build|not supported on this platform|not included in perf test runner"
)
_MARK = "== "


@dataclass(frozen=True, slots=True)
class Capabilities:
    """`options` by their letters; `providers` are those that `-e` takes, `left_out` of them were not built in."""

    options: frozenset[str]
    providers: frozenset[str]
    left_out: frozenset[str] = frozenset()

    def unknown(self, words: Iterable[str]) -> str | None:
        """Which of the options among the words of a command this build does not know; None = it knows them all."""
        options = [word for word in words if re.fullmatch(r"-[A-Za-z]", word)]
        missing = [option for option in options if option[1:] not in self.options]
        return f"this {TOOL} does not know {', '.join(dict.fromkeys(missing))}" if missing else None

    def lacks(self, provider: str) -> str | None:
        """Why it has no such provider; None = it has."""
        if provider not in self.providers:
            return f"this {TOOL} does not know -e {provider}"
        return f"this {TOOL} was built without {provider}" if provider in self.left_out else None


def read_help(stdout: bytes, stderr: bytes, exit_code: int) -> Capabilities:
    """Raises ToolError with its telling line where it cannot be run, or is another program."""
    text = (stdout + b"\n" + stderr).decode("utf-8", "replace")
    options = frozenset(_OPTION.findall(text))
    named = _PROVIDERS.search(text)
    if {"e", "x", "m"} <= options and named:
        return Capabilities(options, frozenset(re.findall(r"'(\w+)'", named[0])))
    telling = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it printed nothing")
    raise ToolError(
        f"{TOOL} could not be asked for its options, it {how_it_ended(exit_code)}: {telling[:200]}",
        remedy="give the build for the device's system and ABI; of one that is not linked statically, let `env` name "
        "the folder of its libraries there (LD_LIBRARY_PATH)",
    )


def providers_argv(tool: str, model: str, providers: Sequence[str]) -> tuple[str, ...]:
    """The command that asks for each provider in turn with a tiny model: help names them all, built in or not."""
    launch = f"{shlex.join([tool, '-I', '-m', 'times', '-r', '1'])} -e $provider {shlex.quote(model)}"
    loop = f"for provider in {shlex.join(providers)}; do echo '{_MARK}'$provider; {launch} 2>&1; done"
    return ("sh", "-c", loop)


def read_left_out(text: str) -> frozenset[str]:
    """The providers that were not built in, by what that command printed; others may fail for want of options."""
    parts = re.split(rf"^{_MARK}(\w+)\r?$", text, flags=re.MULTILINE)[1:]
    said = zip(parts[::2], parts[1::2], strict=True)
    return frozenset(provider for provider, words in said if left_out_line(words))


def left_out_line(text: str) -> str | None:
    """The line that says that a provider was not built in; None = none does."""
    return next((line.strip()[-300:] for line in text.splitlines() if _LEFT_OUT.search(line)), None)
