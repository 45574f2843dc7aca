"""The CompiledModel API: LiteRT's GPU or NPU, first alone (success = it took everything), then with the CPU.

Or its CPU alone, which is XNNPACK: only this API lets it keep the weights that it has packed.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import NeedsCpu, Unusable, one_line
from ..native_log import native_text
from ..protocol import Delegation, Request
from ..tensors import filled_shape, matched, tensor_of
from .accelerator_log import NOT_ALL, full_evidence, gpu_library, native_reason, partial_delegation
from .coverage import count_ops
from .delegates import CompiledModelDelegate
from .entry import Entry
from .interpreter import InterpreterEngine, on_cpu, rebuild

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..protocol import OpTime, State, Timed
    from ..tensors import Array, Tensor
    from .runtime import Runtime

AS_THEMSELVES = ("int8", "uint8", "int32", "float16", "float32", "bool")  # types that TensorBuffer has a name for


class CompiledModelEngine:
    """A model compiled for an accelerator, made step by step: load, allocate."""

    api = "CompiledModel"
    timed: Timed = "run+read"

    def __init__(self, runtime: Runtime, request: Request, delegate: CompiledModelDelegate, with_cpu: bool) -> None:
        self.runtime = runtime
        self.request = request
        self.asked = delegate
        self.with_cpu = with_cpu
        try:
            self.lib: Any = __import__("ai_edge_litert.compiled_model", fromlist=["CompiledModel"])
            self.lib.Options  # noqa: B018  # is it there?
        except (ImportError, AttributeError) as error:
            said = "CompiledModel needs ai-edge-litert >= 2.2; here is " + runtime.label
            raise Unusable("unavailable", said) from error

    @property
    def label(self) -> str:
        return self.runtime.label

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """What makes it ready, phase by phase."""
        return [("load", self.compile), ("allocate", self.allocate)]

    def _options(self) -> Any:
        lib, asked = self.lib, self.asked
        accelerator = getattr(lib.HardwareAccelerator, asked.accelerator.upper())
        if self.with_cpu:
            accelerator |= lib.HardwareAccelerator.CPU
        options = lib.Options(hardware_accelerators=accelerator)
        options.cpu_options.num_threads = self.request.threads
        if asked.cache is not None:
            self._keep_weights(options.cpu_options, asked.cache)
        if asked.accelerator == "gpu":
            options.gpu_options.enforce_f32 = asked.fp32
        elif asked.vendor == "intel":
            module: Any = __import__("ai_edge_litert.options", fromlist=["IntelOpenVinoGraphBackend"])
            if asked.backend:
                backend = getattr(module.IntelOpenVinoGraphBackend, asked.backend.upper())
                options.intel_openvino_options.graph_backend = backend
            options.intel_openvino_options.performance_mode = module.IntelOpenVinoPerformanceMode.LATENCY
        return options

    def _keep_weights(self, options: Any, folder: str) -> None:
        """Raises NotImplementedError where this build cannot."""
        if self.asked.accelerator != "cpu" or not hasattr(options, "xnnpack_weight_cache_path"):
            accelerator = self.asked.accelerator.upper()
            raise NotImplementedError(f"CompiledModel of {self.runtime.label} has no cache for the {accelerator}")
        options.xnnpack_weight_cache_path = folder + "/weights"

    def compile(self) -> None:
        accelerator = self.asked.accelerator
        try:
            self.model: Any = self.lib.CompiledModel.from_file(self.request.model, options=self._options())
        except NotImplementedError:
            raise
        except Exception as error:
            if NOT_ALL in str(error) and not self.with_cpu:
                raise NeedsCpu from error
            if not self._model_is_sound():
                raise
            raise Unusable("unavailable", native_reason(accelerator) or one_line(error)) from error
        if self.with_cpu:
            share = partial_delegation(accelerator)
            if not share.nodes_delegated:
                raise Unusable(share.verdict, share.evidence or "")
        if accelerator == "npu":
            self._check_npu()
        elif accelerator == "gpu" and (self.asked.backend or "") not in gpu_library().lower():
            raise Unusable("none", f"asked for was {self.asked.backend}, used was {gpu_library()}")

    def _model_is_sound(self) -> bool:
        """Whether the CPU could run it, so that the failure is the accelerator's; custom ops are for accelerators."""
        try:
            self.runtime.plain(self.request.model).allocate_tensors()
        except Exception as error:
            return "unresolved custom op" in str(error)
        return True

    def _check_npu(self) -> None:
        """OpenVINO names the device that it really uses; another one than asked for is another one's number."""
        used = set(re.findall(r"[Uu]sing (?:Intel OpenVINO )?device:? '?(\w+)", native_text()))
        asked = (self.asked.backend or "npu").upper()
        others = ", ".join(sorted(used - {asked}))
        if others:
            raise Unusable("none", f"OpenVINO used its {others} device, asked for was {asked}")

    def allocate(self) -> None:
        model, chosen = self.model, self.request.signature
        self.signature = model.get_signature_index(chosen.key) if chosen else 0
        known = model.get_signature_by_index(self.signature)
        fed = list(chosen.inputs) if chosen and chosen.inputs else known["inputs"]
        read = list(chosen.outputs) if chosen and chosen.outputs else known["outputs"]
        self.inputs = self._tensors(model.get_input_tensor_details(known["key"]), fed)
        self.outputs = self._tensors(model.get_output_tensor_details(known["key"]), read)
        self._check_shapes()
        self.buffers = model.create_input_buffers(self.signature), model.create_output_buffers(self.signature)
        self.fed = {
            tensor.index: self.buffers[0][known["inputs"].index(name)] for name, tensor in zip(fed, self.inputs)
        }
        # int16 and int64 have no name in TensorBuffer; their bytes do.
        self.reads: list[tuple[Any, int, Any]] = []
        for name, tensor in zip(read, self.outputs):
            buffer = self.buffers[1][known["outputs"].index(name)]
            size, dtype = int(np.prod(tensor.shape)), tensor.dtype
            named = dtype.name in AS_THEMSELVES
            self.reads.append((buffer, size if named else size * dtype.itemsize, dtype if named else np.dtype("int8")))

    def _tensors(self, details: Any, names: Sequence[str]) -> list[Tensor]:
        """The arguments of a signature are known by their names there, not by those of the tensors."""
        return [tensor_of(details[name], name if self.request.signature else None) for name in names]

    def _check_shapes(self) -> None:
        own = [tensor.shape for tensor in self.inputs]
        if [filled_shape(asked, its) for asked, its in zip(self.request.shapes or own, own)] != own:
            shapes = [list(shape) for shape in own]
            raise ValueError(f"CompiledModel takes the model's own input shapes, {shapes}")

    def feed(self, arrays: Sequence[Array | None]) -> None:
        """One array an input, in order; None = it stays as it is."""
        for tensor, array in matched(arrays, self.inputs):
            named = tensor.dtype.name in AS_THEMSELVES
            self.fed[tensor.index].write(array if named else np.ascontiguousarray(array).reshape(-1).view(np.int8))

    def step(self) -> None:
        """What is timed: accelerators only enqueue the work in run, so the outputs are read, too."""
        self.model.run_by_index(self.signature, *self.buffers)
        self.last = [buffer.read(size, dtype) for buffer, size, dtype in self.reads]

    def results(self) -> list[Array]:
        """The outputs of the last inference, in order."""
        return [raw.view(tensor.dtype).reshape(tensor.shape) for raw, tensor in zip(self.last, self.outputs)]

    def forget(self, state: State | None) -> None:
        """CompiledModel has no way to reset variables, so it is made anew."""
        if state:
            rebuild(self.steps())

    def quantized(self) -> tuple[list[Tensor], list[Tensor]]:
        """Inputs and outputs with their quantization, which CompiledModel does not tell and the interpreter does."""
        entry = Entry(self.runtime.plain(self.request.model), self.request.signature)
        known = {tensor.index: tensor for tensor in map(tensor_of, [*entry.inputs(), *entry.outputs()])}
        return (
            [known.get(tensor.index, tensor) for tensor in self.inputs],
            [known.get(tensor.index, tensor) for tensor in self.outputs],
        )

    def ops(self) -> dict[str, int]:
        """Of the main graph, for the runtime lists no other."""
        try:
            plain = self.runtime.plain(self.request.model)
            return {} if Entry(plain, self.request.signature).graph else count_ops(plain)
        except Exception:  # a model that was compiled ahead of time for an NPU
            return {}

    def delegation(self) -> Delegation:
        """Who took which nodes."""
        accelerator = self.asked.accelerator
        if accelerator == "cpu":
            return self._by_xnnpack()
        if self.with_cpu:
            return replace(partial_delegation(accelerator), fallback="xnnpack")
        nodes = sum(self.ops().values()) or None
        evidence = full_evidence(accelerator)
        return Delegation("full", nodes_delegated=nodes, nodes_total=nodes, partitions=1, evidence=evidence)

    def on_cpu(self) -> InterpreterEngine:
        """The same model on this CPU, not ready yet: what its outputs are compared with."""
        return on_cpu(self.runtime, self.request)

    def profile(self) -> tuple[OpTime, ...]:
        raise NotImplementedError("no op profiles are read of the CompiledModel API, by which this runs")

    def _by_xnnpack(self) -> Delegation:
        """CompiledModel tells only whether no node was left; of how many were, this runtime's Interpreter knows."""
        nodes = sum(self.ops().values()) or None
        if self.model.is_fully_accelerated():
            said = "is_fully_accelerated: no node was left to the runtime's own kernels"
            return Delegation("full", nodes_delegated=nodes, nodes_total=nodes, fallback="cpu", evidence=said)
        plain = self.on_cpu()
        plain.load()
        plain.allocate()
        share = plain.delegation()
        said = f"not is_fully_accelerated; in the Interpreter of this runtime: {share.evidence}"
        return replace(share, verdict="unknown" if share.verdict == "full" else share.verdict, evidence=said)
