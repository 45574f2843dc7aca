"""The InferenceSession API: ONNX Runtime's CPU kernels, and execution providers that take nodes before them."""

from __future__ import annotations

import functools
import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Unusable, one_line
from ..native_log import native_text
from ..protocol import Delegation, Request
from ..tensors import Tensor, matched, random_inputs
from .delegates import OnnxRuntimeDelegate
from .delegation import delegation_by
from .errors import in_words
from .runtime import CPU, OnnxRuntime, device_words, package_library
from .tensors import input_tensor, output_tensor, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..protocol import OpTime, State, Timed, Verdict
    from ..tensors import Array

PLACED = r"placed on \[(\w+)\]\. Number of nodes: (\d{1,9})"
FOLDER, PROFILE = "model", "onnxruntime_profile"


class OnnxEngine:
    """A model in a session, made step by step: delegate, load, allocate."""

    api = "InferenceSession"
    timed: Timed = "run+read"  # outputs are in this host's memory when a run is over
    reference = "CPUExecutionProvider"  # what `on_cpu` is

    def __init__(self, request: Request, delegate: OnnxRuntimeDelegate) -> None:
        self.runtime = OnnxRuntime()
        self.label = self.runtime.label
        self.request = request
        self.asked = delegate
        self.devices: list[Any] = []  # of a plug-in
        self.session: Any = None

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """What makes it ready, phase by phase."""
        found = [("delegate", self.find_provider)] if self.asked.provider else []
        return [*found, ("load", self.load), ("allocate", self.allocate)]

    def find_provider(self) -> None:
        """The provider that is asked for: in the library that is named, built in, or in its package."""
        asked, runtime = self.asked, self.runtime
        if not asked.library and asked.provider in runtime.built_in:
            return
        library = asked.library or package_library(asked.package)
        if library is None:
            raise Unusable("unavailable", f"{runtime.label} has no {asked.provider}: {', '.join(runtime.built_in)}")
        try:
            runtime.register(library)
        except NotImplementedError as error:
            raise Unusable("unavailable", str(error)) from error
        except Exception as error:
            raise Unusable("unavailable", one_line(error, in_words)) from error
        offered = runtime.devices(asked.provider)
        self.devices = [device for device in offered if asked.device in (None, device.device.type.name.lower())][:1]
        if not self.devices:
            wanted = f"{asked.provider} on the {asked.device.upper()}" if asked.device else str(asked.provider)
            said = f"{os.path.basename(library)} offers no device for {wanted}"
            raise Unusable("unavailable", f"{said}; there are: {device_words(runtime.devices())}")

    def load(self) -> None:
        provider = self.asked.provider
        try:
            self.session = self._session(provider, self._options())
        except Exception as error:
            if provider and self._loads_without():
                raise Unusable("unavailable", one_line(error, in_words)) from error
            raise
        if provider and provider not in self.session.get_providers():
            used = ", ".join(self.session.get_providers())
            raise Unusable("unavailable", f"{provider} was left out without a word; the session has {used}")

    def _session(self, provider: str | None, options: Any) -> Any:
        model = self._beside_its_data()
        if provider and self.devices:
            options.add_provider_for_devices(self.devices, self.asked.options or {})
            return self.runtime.package.InferenceSession(model, options)
        own = self.asked.options or {}
        chosen = [(provider, own), (CPU, {})] if provider else [(CPU, own)]
        return self.runtime.package.InferenceSession(model, options, providers=chosen, disable_fallback=True)

    def _loads_without(self) -> bool:
        try:
            replaced = replace(self.asked, provider=None, options=None)
            OnnxEngine(self.request, replaced).load()
        except Exception:
            return False
        return True

    def _options(self) -> Any:
        asked, package = self.asked, self.runtime.package
        options = package.SessionOptions()
        options.intra_op_num_threads = self.request.threads if asked.session_threads is None else asked.session_threads
        if asked.inter_threads:
            options.execution_mode = package.ExecutionMode.ORT_PARALLEL
            options.inter_op_num_threads = asked.inter_threads
        level = {"disable": "ORT_DISABLE_ALL"}.get(asked.optimization, "ORT_ENABLE_" + asked.optimization.upper())
        if not hasattr(package.GraphOptimizationLevel, level):
            raise NotImplementedError(f'{self.label} has no optimization = "{asked.optimization}"')
        options.graph_optimization_level = getattr(package.GraphOptimizationLevel, level)
        options.enable_cpu_mem_arena = asked.arena
        options.enable_mem_pattern = asked.memory_pattern
        for name, size in (asked.dimensions or {}).items():
            options.add_free_dimension_override_by_name(name, size)
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
        for key, value in (asked.config or {}).items():
            options.add_session_config_entry(key, value)
        if self.request.profile:
            options.enable_profiling = True
            options.profile_file_prefix = PROFILE
        return options

    def _beside_its_data(self) -> str:
        """The model's path; where it names files beside itself, in a folder of links that has them by those names."""
        if not self.asked.data:
            return self.request.model
        links = dict(self.asked.data, **{os.path.basename(self.request.model): self.request.model})
        for name, place in links.items():
            link = os.path.join(FOLDER, name)
            os.makedirs(os.path.dirname(link), exist_ok=True)
            if not os.path.lexists(link):
                os.symlink(os.path.abspath(place), link)
        return os.path.join(FOLDER, os.path.basename(self.request.model))

    def allocate(self) -> None:
        given, made = self.session.get_inputs(), self.session.get_outputs()
        shapes = self.request.shapes or [None] * len(given)
        self.inputs = [input_tensor(k, argument, shape) for k, (argument, shape) in enumerate(zip(given, shapes))]
        self.outputs = [output_tensor(k, argument) for k, argument in enumerate(made)]
        self.names = [tensor.name for tensor in self.outputs]
        self.fed: dict[str, Array] = {}
        self.binding: Any = None
        numbers = all(tensor.dtype.kind != "O" for tensor in [*self.inputs, *self.outputs])
        # A bound output keeps the first run's shape, and is held against the file's, which may be of another batch.
        fixed = all(isinstance(size, int) for one in [*given, *made] for size in one.shape)
        if numbers and fixed:
            self.binding = self.session.io_binding()  # a run by it costs less: 3 µs of 5, and 20 of 30 with 40 outputs
            for name in self.names:
                self.binding.bind_output(name)
        self.feed([np.zeros(tensor.shape, tensor.dtype) for tensor in self.inputs])

    def feed(self, arrays: Sequence[Array | None]) -> None:
        """One array an input, in order; None = it stays as it is."""
        for tensor, array in matched(arrays, self.inputs):
            held = texts(array) if tensor.dtype.kind == "O" else np.ascontiguousarray(array)
            self.fed[tensor.name] = held  # bound by its address, so it is kept
            if self.binding is not None:
                self.binding.bind_cpu_input(tensor.name, held)
        self.step: Callable[[], object] = (
            functools.partial(self.session.run_with_iobinding, self.binding) if self.binding is not None else self.run
        )

    def run(self) -> None:
        """What is timed where some tensor cannot be bound."""
        self.last = self.session.run(self.names, self.fed)

    def results(self) -> list[Array]:
        """The outputs of the last inference, in order."""
        if self.binding is not None:
            return list(self.binding.copy_outputs_to_cpu())
        return [found if isinstance(found, np.ndarray) else np.array(found, dtype=object) for found in self.last]

    def forget(self, state: State | None) -> None:
        """A session keeps nothing from one inference to the next."""

    def quantized(self) -> tuple[list[Tensor], list[Tensor]]:
        """Inputs and outputs; what is quantized inside has real numbers here."""
        return self.inputs, self.outputs

    def assigned(self) -> list[tuple[str, list[str]]] | None:
        """Each partition's provider and the types of its nodes; None where this version does not say."""
        if not hasattr(self.session, "get_provider_graph_assignment_info"):
            return None
        found = self.session.get_provider_graph_assignment_info()
        return [(part.ep_name, [node.op_type for node in part.get_nodes()]) for part in found]

    def ops(self) -> dict[str, int]:
        """As the session has them after its first optimisations."""
        counted: dict[str, int] = {}
        for _provider, types in self.assigned() or []:
            for name in types:
                counted[name] = counted.get(name, 0) + 1
        return counted

    def delegation(self) -> Delegation:
        """Who took which nodes, and the verdict on it."""
        partitions = self.assigned()
        if partitions is None:
            return self._untold()
        return delegation_by(partitions, self.asked.provider, device_words(self.devices))

    def _untold(self) -> Delegation:
        has = ", ".join(self.session.get_providers())
        if self.asked.provider is None and self.session.get_providers() == [CPU]:
            return Delegation("full", evidence=f"the session has no other provider than {CPU}")
        counts = self._placements()
        if not counts or self.asked.provider is None:
            said = f"the session has {has}; {self.label} does not say who took which nodes (1.24 and later do)"
            return Delegation("unknown", evidence=said)
        taken, told = counts.get(self.asked.provider), ", ".join(f"{name}: {count}" for name, count in counts.items())
        verdict: Verdict = "none" if not taken else "full" if len(counts) == 1 else "partial"
        said = f"node placements {told}; partitions count as one node, since {self.label} tells no more"
        return Delegation(verdict, evidence=said)

    def _placements(self) -> dict[str, int]:
        """By provider, the nodes that the log of another session of this model tells of, fused as they are."""
        before = len(native_text())
        options = self._options()
        options.enable_profiling, options.log_severity_level = False, 0
        self._session(self.asked.provider, options)
        return {name: int(count) for name, count in re.findall(PLACED, native_text()[before:])}

    def on_cpu(self) -> OnnxEngine:
        """The same model on this CPU alone, not ready yet: what other outputs are compared with."""
        plain = replace(self.asked, provider=None, library=None, package=None, device=None, options=None)
        return OnnxEngine(replace(self.request, profile=False), plain)

    def profile(self) -> tuple[OpTime, ...]:
        """The time of every node over several profiled runs."""
        from .profile import profile

        self.feed(random_inputs(self.inputs, self.request.input_seed, self.request.ranges))
        return profile(self.session, self.step, self.request, self.asked.provider)
