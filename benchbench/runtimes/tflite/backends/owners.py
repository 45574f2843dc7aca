"""Which delegate a flag, a word or a kernel belongs to, by the names that the file of each tells."""

from __future__ import annotations

import re
from collections.abc import Mapping

from benchbench.runtimes.tflite.backends import BACKENDS, UNASKED, UNKNOWN
from benchbench.runtimes.tflite.backends.log_names import FOREIGN, LogNames

# Those of the CPU last: tools add them to every other.
LOG_NAMES: Mapping[str, LogNames] = {
    **{kind: backend.log_names for kind, backend in BACKENDS.items() if backend.processor != "cpu"},
    **FOREIGN,
    **{kind: backend.log_names for kind, backend in BACKENDS.items() if backend.processor == "cpu"},
}
# Of several flags in one launch, the first of these is what it is about.
FLAGS: Mapping[str, str] = {flag: kind for kind, names in LOG_NAMES.items() for flag in names.flags}
WORDS: Mapping[str, str] = {word: kind for kind, names in LOG_NAMES.items() for word in names.words}
SWITCH = LOG_NAMES[UNASKED].flags[0]  # turns off what the tools apply unasked
BESIDE = frozenset({UNASKED, *(kind for kind, names in LOG_NAMES.items() if names.unasked)})
PLUGINS = frozenset(kind for kind, names in LOG_NAMES.items() if names.plugin)


def kernel_owner(name: str) -> str | None:
    """The delegate behind a kernel's name; `UNKNOWN` for one that is nobody's, None for what is no delegate."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    for kind, names in LOG_NAMES.items():
        if plain.startswith(names.kernels):
            return kind
    for kind, names in LOG_NAMES.items():
        if names.kernel_words and re.search(names.kernel_words, plain):
            return kind
    return UNKNOWN if "delegate" in plain else None


def operator_owner(name: str) -> str | None:
    """The delegate that an operator of a profile is of; None for one of the interpreter's own."""
    return next(
        (kind for kind, names in LOG_NAMES.items() if names.operators and re.search(names.operators, name)), None
    )


def delegate_named(name: str) -> str:
    """The delegate behind a name in the tool's words: GPU, Metal, TfLiteMetalDelegate."""
    plain = name.lower()
    kernel = kernel_owner(name) if "delegate" in plain and plain not in LOG_NAMES else None
    return WORDS.get(plain) or kernel or plain
