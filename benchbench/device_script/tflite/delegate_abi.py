"""The C structs through which the runtime tells a delegate what is in a graph.

They have been the same since TensorFlow 2.4; 64 bit only, as they were checked there.
"""

from __future__ import annotations

import ctypes
from typing import NamedTuple

BUILTIN_DELEGATE = 51  # BuiltinOperator_DELEGATE
ALLOW_DYNAMIC_TENSORS = 1  # kTfLiteDelegateFlagsAllowDynamicTensors


class Node(ctypes.Structure):
    """TfLiteNode."""

    _fields_ = [
        (name, ctypes.c_void_p)
        for name in ("inputs", "outputs", "intermediates", "temporaries", "user_data", "builtin_data")
    ]


class Registration(ctypes.Structure):
    """TfLiteRegistration, up to what is read."""

    _fields_ = [
        *[(name, ctypes.c_void_p) for name in ("init", "free", "prepare", "invoke", "profiling_string")],
        ("builtin_code", ctypes.c_int32),
        ("custom_name", ctypes.c_char_p),
    ]


class Context(ctypes.Structure):
    """TfLiteContext, up to what is called."""

    _fields_ = [
        ("tensors_size", ctypes.c_size_t),
        *[
            (name, ctypes.c_void_p)
            for name in (
                "GetExecutionPlan",
                "tensors",
                "impl",
                "ResizeTensor",
                "ReportError",
                "AddTensors",
                "GetNodeAndRegistration",
            )
        ],
    ]


class Replaced(ctypes.Structure):
    """TfLiteDelegateParams, up to what is read."""

    _fields_ = [("delegate", ctypes.c_void_p), ("nodes", ctypes.c_void_p)]


PREPARE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
GET_PLAN = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p))
GET_NODE = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_int,
    ctypes.POINTER(ctypes.POINTER(Node)),
    ctypes.POINTER(ctypes.POINTER(Registration)),
)


class ObservingDelegate(ctypes.Structure):
    """A TfLiteDelegate that claims nothing."""

    _fields_ = [
        ("data", ctypes.c_void_p),
        ("Prepare", PREPARE),
        ("CopyFromBufferHandle", ctypes.c_void_p),
        ("CopyToBufferHandle", ctypes.c_void_p),
        ("FreeBufferHandle", ctypes.c_void_p),
        ("flags", ctypes.c_int64),
        ("opaque_delegate_builder", ctypes.c_void_p),
    ]


class PlannedNode(NamedTuple):
    """A node of an execution plan; where a delegate put it in, its name and the nodes that it replaced."""

    number: int
    delegate: str | None
    replaced: list[int]


def read_plan(context_address: int) -> list[PlannedNode]:
    """The execution plan of a subgraph."""
    context = Context.from_address(context_address)
    plan = ctypes.c_void_p()
    if GET_PLAN(context.GetExecutionPlan)(context_address, ctypes.byref(plan)):
        raise RuntimeError("GetExecutionPlan failed")
    return [_planned(context, context_address, index) for index in _int_array(plan.value)]


def _planned(context: Context, address: int, index: int) -> PlannedNode:
    node, registration = ctypes.POINTER(Node)(), ctypes.POINTER(Registration)()
    if GET_NODE(context.GetNodeAndRegistration)(address, index, ctypes.byref(node), ctypes.byref(registration)):
        raise RuntimeError("GetNodeAndRegistration failed")
    if registration.contents.builtin_code != BUILTIN_DELEGATE or not node.contents.builtin_data:
        return PlannedNode(index, None, [])
    replaced = _int_array(Replaced.from_address(node.contents.builtin_data).nodes)
    name = (registration.contents.custom_name or b"a delegate without a name").decode("utf-8", "replace")
    return PlannedNode(index, name, replaced)


def _int_array(address: int | None) -> list[int]:
    """A TfLiteIntArray: its size, then its values."""
    if not address:
        return []
    size = ctypes.c_int.from_address(address).value
    return list((ctypes.c_int * size).from_address(address + ctypes.sizeof(ctypes.c_int))) if size > 0 else []
