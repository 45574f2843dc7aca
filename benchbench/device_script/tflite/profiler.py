"""A CPU model with LiteRT's profiler on, through its C API: neither Python API reaches the profiler."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensors import Array

OPERATOR, DELEGATE_OPERATOR = 2, 8  # event types
_CPU = 1  # kLiteRtHwAcceleratorCpu
_WRITE = 1  # kLiteRtTensorBufferLockModeWrite


class _ElementType(ctypes.Structure):
    """LiteRtRankedTensorType."""

    _fields_ = [
        ("element_type", ctypes.c_int),
        ("rank_and_flags", ctypes.c_uint),
        ("dimensions", ctypes.c_int32 * 8),
        ("strides", ctypes.c_uint32 * 8),
    ]


class _Event(ctypes.Structure):
    """ProfiledEventData of LiteRT 2.3."""

    _fields_ = [
        ("tag", ctypes.c_char_p),
        ("event_type", ctypes.c_int),
        ("start_us", ctypes.c_uint64),
        ("elapsed_us", ctypes.c_uint64),
        ("memory", ctypes.c_size_t * 6),
        ("metadata1", ctypes.c_uint64),
        ("metadata2", ctypes.c_uint64),
        ("source", ctypes.c_int),
    ]


class OpEvent(NamedTuple):
    """One operator of one run; `kind` is OPERATOR or DELEGATE_OPERATOR."""

    tag: str
    kind: int
    node: int
    us: int


class ProfiledModel:
    """A model compiled for the CPU with the profiler on."""

    def __init__(self, library_folder: str, model: str, threads: int, xnnpack: bool) -> None:
        self.lib = ctypes.CDLL(os.path.join(library_folder, "libLiteRt.so"))
        self.kept: list[Any] = []  # the library keeps pointers to these
        environment, options = self._made("CreateEnvironment", 0, None), self._made("CreateOptions")
        loaded = self._made("CreateModelFromFile", environment, self._text(model))
        self._call("SetOptionsHardwareAccelerators", options, _CPU)
        mode = "delegate" if xnnpack else "builtin"
        self._add_options(options, "xnnpack", f'num_threads = {threads}\nkernel_mode = "{mode}"\n')
        self._add_options(options, "runtime_options_string", "enable_profiling = true\n")
        self.model = self._made("CreateCompiledModel", environment, loaded, options)
        signature = self._made("GetModelSignature", loaded, ctypes.c_size_t(0))
        self.inputs = self._buffers(environment, signature, "Input")
        self.outputs = self._buffers(environment, signature, "Output")
        self.profiler = self._made("CompiledModelGetProfiler", self.model)

    def feed(self, arrays: Sequence[Array]) -> None:
        """One array an input, in order."""
        for buffer, array in zip(self.inputs, arrays):
            address, plain = ctypes.c_void_p(), np.ascontiguousarray(array)
            self._call("LockTensorBuffer", buffer, ctypes.byref(address), _WRITE)
            ctypes.memmove(address, plain.ctypes.data, plain.nbytes)
            self._call("UnlockTensorBuffer", buffer)

    def run(self) -> None:
        fed, read = (ctypes.c_void_p * len(side) for side in (self.inputs, self.outputs))
        sizes = [ctypes.c_size_t(len(side)) for side in (self.inputs, self.outputs)]
        first_signature = ctypes.c_size_t(0)
        self._call(
            "RunCompiledModel",
            self.model,
            first_signature,
            sizes[0],
            fed(*self.inputs),
            sizes[1],
            read(*self.outputs),
        )

    def events(self) -> list[OpEvent]:
        """The operators of one run, in order."""
        self._call("ResetProfiler", self.profiler)
        self._call("StartProfiler", self.profiler)
        self.run()
        self._call("StopProfiler", self.profiler)
        count = ctypes.c_int()
        self._call("GetNumProfilerEvents", self.profiler, ctypes.byref(count))
        events = (_Event * count.value)()
        self._call("GetProfilerEvents", self.profiler, count, events)
        return [
            OpEvent(event.tag.decode("utf-8", "replace"), event.event_type, event.metadata1, event.elapsed_us)
            for event in events
            if event.event_type in (OPERATOR, DELEGATE_OPERATOR)
        ]

    def _call(self, name: str, *arguments: Any) -> None:
        status = getattr(self.lib, "LiteRt" + name)(*arguments)
        if status:
            raise RuntimeError(f"LiteRt{name}: status {status}")

    def _made(self, name: str, *arguments: Any) -> ctypes.c_void_p:
        made = ctypes.c_void_p()
        self._call(name, *arguments, ctypes.byref(made))
        return made

    def _text(self, value: str) -> Any:
        self.kept.append(ctypes.create_string_buffer(value.encode()))
        return self.kept[-1]

    def _add_options(self, options: ctypes.c_void_p, name: str, toml: str) -> None:
        no_deleter = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: None)
        self.kept.append(no_deleter)
        opaque = self._made("CreateOpaqueOptions", self._text(name), self._text(toml), no_deleter)
        self._call("AddOpaqueOptions", options, opaque)

    def _buffers(self, environment: Any, signature: Any, side: str) -> list[ctypes.c_void_p]:
        count, made = ctypes.c_size_t(), []
        self._call(f"GetNumSignature{side}s", signature, ctypes.byref(count))
        for index in range(count.value):
            number, kind = ctypes.c_size_t(index), _ElementType()
            tensor = self._made(f"GetSignature{side}TensorByIndex", signature, number)
            self._call("GetRankedTensorType", tensor, ctypes.byref(kind))
            needs = self._made(f"GetCompiledModel{side}BufferRequirements", self.model, ctypes.c_size_t(0), number)
            made.append(self._made("CreateManagedTensorBufferFromRequirements", environment, ctypes.byref(kind), needs))
        return made
