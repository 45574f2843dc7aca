"""Who really executed the graph: the tool's own evidence, weighed.

A later statement beats an earlier one where they contradict: "Replacing 31 out of 31 nodes" followed by "Restored
original execution plan" is no delegation. That a flag was given, or a delegate object created, proves nothing.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchbench.outcome import Delegation, Profile, Verdict
from benchbench.runners.benchmark_model.lines import Event
from benchbench.runners.benchmark_model.profile import kernel_owner

# flag (and parameter of the echo) -> delegate; of several, the first is what the launch is about
FLAGS = {
    "use_gpu": "gpu",
    "use_npu": "npu",
    "use_nnapi": "nnapi",
    "nnapi_accelerator_name": "nnapi",
    "use_hexagon": "hexagon",
    "use_coreml": "coreml",
    "use_ynnpack": "ynnpack",
    "stable_delegate_settings_file": "stable_delegate",
    "external_delegate_path": "external",
    "use_xnnpack": "xnnpack",
}
_OFF = {"", "0", "false"}
_IN_TOOL = {"stable": "stable_delegate", "select": "flex"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which delegate was asked for, and whether XNNPACK was switched on (True) or off (False) by a flag."""

    kind: str | None
    xnnpack: bool | None
    refused: dict[str, str] = field(default_factory=dict)  # delegate -> the line that says its flag was not taken


def _kind(name: str) -> str:
    plain = name.lower()
    return _IN_TOOL.get(plain, plain)


def command_flags(command: str) -> dict[str, str]:
    """--name=value of a command line (also `--name value` is shown; the tool itself does not take that)."""
    try:
        words = shlex.split(command.replace("'\"", '"').replace("\"'", '"'))
    except ValueError:
        words = command.split()
    found: dict[str, str] = {}
    for word in " ".join(words).split():
        name, mark, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and mark:
            found.setdefault(name, value.strip("\"'"))
    return found


def what_was_asked(events: Sequence[Event]) -> Asked:
    """From the tool's echo of its parameters, its complaint about flags, the command, and what it says it created."""
    echoed = {e.values["name"]: e.values.get("value", "") for e in events if e.kind == "parameter"}
    commands = [command_flags(event.values.get("rest", "")) for event in events if event.kind == "command"]
    command = commands[-1] if commands else {}
    refused: dict[str, str] = {}
    for event in events:
        if event.kind == "unconsumed":
            for name, value in command_flags(event.values.get("flags", "")).items():
                if name in FLAGS and FLAGS[name] != "xnnpack" and value.lower() not in _OFF:
                    refused[FLAGS[name]] = event.line
    wanted = [
        kind
        for flag, kind in FLAGS.items()
        if kind in refused or any(said.get(flag, "").lower() not in _OFF for said in (echoed, command))
    ]
    verbose = echoed.get("verbose") not in {None, "0"} or "verbose" not in echoed
    switch = command.get(
        "use_xnnpack", None if verbose and echoed.get("use_xnnpack") == "0" else echoed.get("use_xnnpack")
    )
    kind = wanted[0] if wanted else _named(events)
    return Asked(kind, None if switch is None else switch.lower() not in _OFF, refused)


def _named(events: Sequence[Event]) -> str | None:
    """The delegate that the text speaks of; XNNPACK only where there is no other, since it is the default."""
    named: list[str] = []
    for event in events:
        if event.kind in {"created", "applied", "not_taken", "not_applied", "unavailable"}:
            name = event.values.get("name") or event.values.get("other")
            named += [_kind(name)] if name else []
        elif event.kind in {"replacing", "simple"}:
            owner = kernel_owner(event.values["name"])
            named += [owner] if owner else []
    others = [kind for kind in named if kind not in {"xnnpack", "flex"}]
    return others[0] if others else "xnnpack" if "xnnpack" in named else None


@dataclass
class _Weighed:
    """The scales: the last word on the delegate that was asked for."""

    verdict: Verdict = "unknown"
    evidence: str | None = None
    nodes: int | None = None
    total: int | None = None
    partitions: int | None = None
    kernels: int | None = None

    def say(self, verdict: Verdict, event: Event) -> None:
        self.verdict, self.evidence = verdict, event.line


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
        kernels=scales.kernels if scales.kernels is not None else _gpu_kernels(events, asked.kind),
        remainder=_remainder(events, asked),
        accelerators=tuple(name.strip() for name in listed[0].split(",")) if listed else (),
    )


def _gpu_kernels(events: Sequence[Event], kind: str | None) -> int | None:
    counted = [int(event.values["kernels"]) for event in events if event.kind == "kernels"]
    return counted[0] if counted and kind in {"gpu", None} else None


def _weigh(scales: _Weighed, event: Event, kind: str) -> None:
    """Put one line onto the scales."""
    values = event.values
    if event.kind == "not_applied" and values.get("name") is None and scales.verdict != "unavailable":
        scales.say("none", event)
    if event.kind in {"applied", "not_taken", "not_applied", "unavailable"} and _kind(values.get("name", "")) == kind:
        verdicts: dict[str, Verdict] = {"not_taken": "none", "not_applied": "none", "unavailable": "unavailable"}
        full = values.get("extent") == "completely"
        scales.say(verdicts.get(event.kind, "full" if full else "partial"), event)
        scales.kernels = int(values["kernels"]) if "kernels" in values else scales.kernels
    elif event.kind in {"replacing", "simple"}:
        _weigh_nodes(scales, event, kind)
    elif event.kind == "split" and kind == "gpu":
        scales.nodes = int(values["nodes"])
        scales.say("partial" if scales.nodes else "none", event)


def _weigh_nodes(scales: _Weighed, event: Event, kind: str) -> None:
    values = event.values
    owner = kernel_owner(values["name"]) or "external"
    same = owner == kind or (owner in {"external", "edgetpu"} and kind in {"external", "stable_delegate", "edgetpu"})
    if not same or scales.nodes is not None or values.get("subgraph", "0") != "0":
        return
    scales.nodes = int(values["nodes"])
    scales.total = int(values["total"]) if "total" in values else None
    scales.partitions = int(values["partitions"]) if "partitions" in values else None
    if scales.verdict != "unknown":
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
    own = [row for row in rows if row.type != row.name and kernel_owner(row.type) == kind]
    if own:
        scales.verdict = "full" if len(own) == len(rows) else "partial"
        scales.evidence = f"op profile: {own[0].type}"
        return
    kinds = {event.kind for event in events}
    made = any(
        _kind(e.values.get("name") or e.values.get("other") or "") == kind for e in events if e.kind == "created"
    )
    # Since 2020 the tool prints the model's size, and one line for every delegate that it could make.
    if {"loaded", "size", "init"} <= kinds and kinds & {"start", "parameter"} and "block" not in kinds and not made:
        scales.verdict = "unavailable"
        scales.evidence = f"no line says that the {kind} delegate was created or applied"


def _remainder(events: Sequence[Event], asked: Asked) -> str | None:
    """Who executes what the delegate leaves."""
    if asked.kind == "xnnpack" or asked.xnnpack is False:
        return "cpu"
    for event in events:
        name = event.values.get("name", "")
        if event.kind in {"created", "applied"} and name == "XNNPACK":
            return "xnnpack"
        if event.kind == "replacing" and kernel_owner(name) == "xnnpack":
            return "xnnpack"
    return None
