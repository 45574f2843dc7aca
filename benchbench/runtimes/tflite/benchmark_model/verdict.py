"""Who really executed the graph: the tool's own evidence, weighed.

A later statement beats an earlier one where they contradict: "Replacing 31 out of 31 nodes" followed by "Restored
original execution plan" is no delegation. That a flag was given, or a delegate object created, proves nothing.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from benchbench.runtimes.tflite.backends import UNASKED, UNKNOWN
from benchbench.runtimes.tflite.backends.owners import (
    BESIDE,
    FLAGS,
    PLUGINS,
    SWITCH,
    WORDS,
    delegate_named,
    kernel_owner,
)
from benchbench.runtimes.tflite.benchmark_model.log_events import Event
from benchbench.values.outcome import Delegation, Profile, Verdict

_OFF = {"", "0", "false"}
_SPEAKS = {"created", "applied", "not_taken", "not_applied", "unavailable"}  # of the delegate that was asked for


@dataclass(frozen=True, slots=True)
class Asked:
    """Which delegate was asked for, and whether what the tools apply unasked was switched on or off by a flag."""

    kind: str | None
    switch: bool | None
    refused: dict[str, str] = field(default_factory=dict)  # delegate -> the line that says its flag was not taken


def _kind_of(event: Event) -> str:
    """The delegate that a line is about; "" where it names none."""
    if event.delegate is not None:
        return event.delegate
    name = event.values.get("name", "")
    if event.kind in {"replacing", "simple"}:
        return kernel_owner(name) or UNKNOWN
    if event.kind == "undone":
        return kernel_owner(name) or WORDS.get(name.lower(), "")
    return delegate_named(name)


def command_flags(command: str) -> dict[str, str]:
    """--name=value of a command line (also `--name value` is shown; the tool itself does not take that)."""
    try:
        words = shlex.split(command.replace("'\"", '"').replace("\"'", '"'))
    except ValueError:
        words = command.split()
    found: dict[str, str] = {}
    # Several flags in one word: the quoted arguments of an Android activity.
    for argument in (part.strip() for word in words for part in re.split(r"\s(?=--)", word)):
        name, mark, value = argument.removeprefix("--").partition("=")
        if argument.startswith("--") and mark:
            found.setdefault(name, value.strip("\"'"))
    return found


def what_was_asked(events: Sequence[Event]) -> Asked:
    """From the tool's echo of its parameters, its complaint about flags, the command, and what it says it created.

    The echo is what the tool took, and outweighs the command.
    """
    echoed = {e.values["name"]: e.values.get("value", "") for e in events if e.kind == "parameter"}
    commands = [command_flags(event.values.get("rest", "")) for event in events if event.kind == "command"]
    command = commands[-1] if commands else {}
    refused = _refused(events, echoed)
    wanted = [
        kind
        for flag, kind in FLAGS.items()
        if kind in refused or echoed.get(flag, command.get(flag, "")).lower() not in _OFF
    ]
    verbose = echoed.get("verbose") not in {None, "0"} or "verbose" not in echoed
    # An echo of all parameters shows 0 also where nobody gave the flag.
    switch = command.get(SWITCH, None if verbose and echoed.get(SWITCH) == "0" else echoed.get(SWITCH))
    off = {kind for flag, kind in FLAGS.items() for said in (echoed, command) if said.get(flag, "1").lower() in _OFF}
    kind = wanted[0] if wanted else _listed(events) or _named(events, off - {UNASKED})
    return Asked(kind, None if switch is None else switch.lower() not in _OFF, refused)


def _refused(events: Sequence[Event], echoed: Mapping[str, str]) -> dict[str, str]:
    """Delegates whose flag nobody took, with the line; a flag that is echoed was taken, and this was its repetition."""
    created = {_kind_of(event) for event in events if event.kind in {"created", "applied", "not_taken"}}
    refused: dict[str, str] = {}
    for event in events:
        if event.kind == "unconsumed":
            for name, value in command_flags(event.values.get("flags", "")).items():
                kind = FLAGS.get(name, UNASKED)
                taken = name in echoed or kind in created
                if kind != UNASKED and not taken and value.lower() not in _OFF:
                    refused[kind] = event.line
    return refused


def _listed(events: Sequence[Event]) -> str | None:
    """What a text lists as asked for, or says only where that was asked for."""
    for event in events:
        if event.kind == "option":
            return event.delegate
        if event.kind == "wanted" and "accelerators" in event.values:
            kinds = [delegate_named(name) for name in event.values["accelerators"].split(" | ")]
            return next((kind for kind in kinds if kind != UNASKED), UNASKED)
        if event.kind == "wanted":
            return event.delegate
    return None


def _named(events: Sequence[Event], off: Collection[str]) -> str | None:
    """The delegate that the text speaks of; what the tools apply unasked only where there is no other."""
    speaks = _SPEAKS | {"replacing", "simple", "split", "kernels", "initialized", "undone"}
    named = [_kind_of(event) for event in events if event.kind in speaks]
    others = [kind for kind in named if kind not in {"", *BESIDE, *off}]
    return others[0] if others else UNASKED if UNASKED in named else None


@dataclass
class _Weighed:
    """The scales: the last word on the delegate that was asked for; a remark or an inference gives way to any word."""

    verdict: Verdict = "unknown"
    evidence: str | None = None
    firm: bool = False
    counted: bool = False  # the nodes are those that were replaced, not those that a list announced
    nodes: int | None = None
    total: int | None = None
    partitions: int | None = None
    kernels: int | None = None

    def say(self, verdict: Verdict, event: Event, *, firm: bool = True) -> None:
        if firm or not self.firm:
            self.verdict, self.evidence, self.firm = verdict, event.line, firm


def weigh(events: Sequence[Event], profile: Profile | None = None) -> Delegation:
    """The verdict with its evidence; `unknown` where the text does not say."""
    asked = what_was_asked(events)
    scales = _Weighed()
    for event in events:
        if asked.kind is not None:
            _weigh(scales, event, asked.kind)
    if asked.kind in asked.refused:
        scales = _Weighed("unavailable", asked.refused[asked.kind])
    elif asked.kind is not None and scales.verdict == "unknown":
        _weigh_silence(scales, events, asked.kind, profile)
    listed = [e.values["value"] for e in events if e.kind == "parameter" and e.values["name"] == "accelerators"]
    return Delegation(
        asked=asked.kind,
        verdict=scales.verdict,
        evidence=scales.evidence,
        nodes_delegated=scales.nodes,
        nodes_total=scales.total,
        partitions=scales.partitions,
        kernels=scales.kernels if scales.kernels is not None else _kernels(events, asked.kind),
        fallback=_fallback(events, asked),
        accelerators=tuple(name.strip() for name in listed[0].split(",")) if listed else (),
    )


def _kernels(events: Sequence[Event], kind: str | None) -> int | None:
    """How many kernels the delegate says that it made, which is not how many nodes it took."""
    counted = [event for event in events if event.kind == "kernels" and kind in {event.delegate, None}]
    return int(counted[0].values["kernels"]) if counted else None


def _weigh(scales: _Weighed, event: Event, kind: str) -> None:
    """Put one line onto the scales."""
    values, own = event.values, _kind_of(event) == kind
    match event.kind:
        case "not_applied" if values.get("name") is None and scales.verdict != "unavailable":
            scales.say("none", event)
        case "applied" if own:
            scales.say("full" if values.get("extent") == "completely" else "partial", event)
            scales.kernels = int(values["kernels"]) if "kernels" in values else scales.kernels
        case "not_taken" | "not_applied" if own:
            scales.say("none", event)
        case "unavailable" if own:
            scales.say("unavailable", event)
        case "remark" if own:
            scales.say("unavailable", event, firm=False)
        case "undone" if scales.verdict not in {"none", "unavailable"} and (own or values["name"] == "DELEGATE"):
            scales.say("none", event)
        case "replacing" | "simple":
            _weigh_nodes(scales, event, kind)
        case "split" if own and scales.nodes is None:
            scales.nodes = int(values.get("nodes", "0"))
            scales.total = scales.nodes + int(values.get("rest", "0"))
            whole = scales.nodes == scales.total
            scales.say("full" if whole else "partial" if scales.nodes else "none", event)
        case "initialized" if own and scales.nodes is None:
            # Of what it leaves, the accelerator prints a list with a count, which comes first.
            scales.say("full", event)


def _weigh_nodes(scales: _Weighed, event: Event, kind: str) -> None:
    values, owner = event.values, _kind_of(event)
    same = owner == kind or (owner in PLUGINS and kind in PLUGINS)
    if not same or scales.counted or values.get("subgraph", "0") != "0":
        return
    scales.counted = True
    scales.nodes = int(values["nodes"])
    scales.total = int(values["total"]) if "total" in values else None
    scales.partitions = int(values["partitions"]) if "partitions" in values else None
    if scales.firm:
        return
    if scales.nodes == 0:
        scales.say("none", event)
    elif scales.total is not None:
        scales.say("full" if scales.nodes == scales.total else "partial", event)
    elif event.kind == "replacing" and scales.partitions is not None:
        # Partitions count what the delegate left, too: one that took something is the whole graph.
        scales.say("full" if scales.partitions == 1 else "partial", event)


def _weigh_silence(scales: _Weighed, events: Sequence[Event], kind: str, profile: Profile | None) -> None:
    """No line about the delegate: a profile shows its kernels, or a whole text of a tool that would have said so."""
    rows = profile.by_op if profile else ()
    own = [row for row in rows if row.executor == kind]
    if own:
        scales.verdict = "full" if len(own) == len(rows) else "partial"
        scales.evidence = f"op profile: {own[0].type}"
        return
    kinds = {event.kind for event in events}
    made = any(_kind_of(event) == kind for event in events if event.kind == "created")
    newer = any("benchmark_litert_model" in event.line for event in events)
    # Since 2020 the tool prints the model's size, and one line for every delegate that it could make.
    if {"loaded", "size", "init"} <= kinds and kinds & {"start", "parameter"} and not newer and not made:
        scales.verdict = "unavailable"
        scales.evidence = f"no line says that the {kind} delegate was created or applied"


def _fallback(events: Sequence[Event], asked: Asked) -> str | None:
    """Who executes what the delegate leaves."""
    if asked.kind == UNASKED or asked.switch is False:
        return "cpu"
    for event in events:
        if event.kind in {"created", "applied", "replacing"} and _kind_of(event) == UNASKED:
            return UNASKED
    return None
