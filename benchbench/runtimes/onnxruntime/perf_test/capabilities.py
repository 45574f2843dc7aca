"""What a build of the tool can do: its options by its own help, and its providers by asking for each."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from benchbench.runtimes.onnxruntime.backends.base import PERF_TEST as TOOL
from benchbench.runtimes.onnxruntime.recorded.log_messages import LEFT_OUT, NO_LIBRARY, message_in
from benchbench.values.errors import ToolError
from benchbench.values.process_end import how_it_ended

# getopt's help until 1.22 has "\t-x [intra_op_num_threads]: …", absl's since then "    --x (…); default: 0;".
_OPTION = re.compile(r"^\s+--?([A-Za-z]\w*)(?=[\s:(])", re.MULTILINE)
_PROVIDERS, _LEVELS = (
    re.compile(rf"^\s+--?{option}[\s\[(].*?(?=^\s+--?[A-Za-z])", re.MULTILINE | re.DOTALL) for option in "eo"
)
_MARK = "== "


@dataclass(frozen=True, slots=True)
class Capabilities:
    """`options` by their letters; `providers` are those that `-e` takes; `left_out` says why it has not some of them.

    `levels` are those of optimisation that `-o` takes, by their numbers; none = its help does not tell.
    """

    options: frozenset[str]
    providers: frozenset[str]
    left_out: Mapping[str, str] = field(default_factory=dict)
    levels: frozenset[str] = frozenset()

    def unknown(self, words: Sequence[str]) -> str | None:
        """Which of the options among the words of a command this build does not know; None = it knows them all."""
        options = [word for word in words if re.fullmatch(r"-[A-Za-z]", word)]
        missing = [option for option in options if option[1:] not in self.options]
        levels = [after for word, after in pairwise(words) if word == "-o"]
        missing += [f"-o {level}" for level in levels if self.levels and level not in self.levels]
        return f"this {TOOL} does not know {', '.join(dict.fromkeys(missing))}" if missing else None

    def lacks(self, provider: str) -> str | None:
        """Why it has no such provider; None = it has."""
        if provider not in self.providers:
            return f"this {TOOL} does not know -e {provider}"
        return f"this {TOOL} {self.left_out[provider]}" if provider in self.left_out else None


def read_help(stdout: bytes, stderr: bytes, exit_code: int) -> Capabilities:
    """Raises ToolError with its telling line where it cannot be run, or is another program."""
    text = (stdout + b"\n" + stderr).decode("utf-8", "replace")
    options = frozenset(_OPTION.findall(text))
    named = _PROVIDERS.search(text)
    if is_help(text) and named:
        levels = _LEVELS.search(text)
        return Capabilities(
            options,
            providers=frozenset(re.findall(r"'(\w+)'", named[0])),
            levels=frozenset(re.findall(r"(\d+)\s+\(", levels[0])) if levels else frozenset(),
        )
    telling = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it printed nothing")
    raise ToolError(
        f"{TOOL} could not be asked for its options, it {how_it_ended(exit_code)}: {telling[:200]}",
        remedy="give the build for the device's system and ABI; of one that is not linked statically, let `env` name "
        "the folder of its libraries there (LD_LIBRARY_PATH)",
    )


def is_help(text: str) -> bool:
    """Whether it printed its help: until 1.22 it does so instead of naming an option that it does not take."""
    return {"e", "x", "m"} <= set(_OPTION.findall(text))


def providers_argv(tool: str, model: str, providers: Sequence[str]) -> tuple[str, ...]:
    """The command that asks for each provider in turn with a tiny model: help names them all, built in or not."""
    launch = f"{shlex.join([tool, '-I', '-m', 'times', '-r', '1'])} -e $provider {shlex.quote(model)}"
    loop = f"for provider in {shlex.join(providers)}; do echo '{_MARK}'$provider; {launch} 2>&1; done"
    return ("sh", "-c", loop)


def read_left_out(text: str) -> dict[str, str]:
    """Why it has not some providers, by what that command printed; others may fail for want of options."""
    parts = re.split(rf"^{_MARK}(\w+)\r?$", text, flags=re.MULTILINE)[1:]
    said = zip(parts[::2], parts[1::2], strict=True)
    return {provider: why for provider, words in said if (why := _why_not(provider, words))}


def _why_not(provider: str, words: str) -> str | None:
    if library := NO_LIBRARY.search(words):
        return f"cannot load {provider}: {message_in(library[1])[:200]}"
    return f"was built without {provider}" if LEFT_OUT.search(words) else None
