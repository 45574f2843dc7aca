"""Models that were compiled for an accelerator: one operator holds the graph, and only that accelerator can run it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """What a model was compiled for: the custom operator that holds it, and the delegates that can take that."""

    op: str  # or what its name begins with
    name: str
    delegates: tuple[str, ...]
    compiler: str


COMPILED = {  # scheme -> what it is for
    "edgetpu": Target("edgetpu-custom-op", "the Edge TPU", ("edgetpu", "external"), "edgetpu_compiler"),
    "ethos-u": Target("ethos-u", "Arm's Ethos-U", ("external",), "Vela"),
    "neutron": Target("NeutronGraph", "NXP's Neutron", ("external",), "the eIQ Neutron converter"),
    "vsi-npu": Target("vsi-npu", "VeriSilicon's NPU", ("external",), "VeriSilicon's compiler"),
    "dispatch": Target("DISPATCH_OP", "a vendor's NPU through LiteRT", ("npu",), "LiteRT's compiler plugin"),
}


def compiled_scheme(op: str) -> str | None:
    """The scheme of a model with such a custom operator; None where it is not one of a compiler."""
    return next((scheme for scheme, target in COMPILED.items() if op.startswith(target.op)), None)


def mismatch(scheme: str, delegate: str) -> str | None:
    """Why a model of this scheme cannot run on a delegate of this kind; None = it may."""
    target = COMPILED.get(scheme)
    if target is None and delegate == "edgetpu":
        return "not compiled for the Edge TPU: run edgetpu_compiler on its full-integer variant"
    if target is None or delegate in target.delegates:
        return None
    kinds = " or ".join(target.delegates)
    return f"compiled for {target.name}: runs with the {kinds} delegate only"
