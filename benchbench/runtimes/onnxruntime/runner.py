"""The device script over ONNX Runtime: the python runner, with what a session must know of the model."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchbench.device_script.protocol import DelegateRequest
from benchbench.runtimes.onnxruntime.backends import OnnxBackend
from benchbench.runtimes.onnxruntime.model.dimensions import dimensions_of
from benchbench.runtimes.onnxruntime.newer import in_short
from benchbench.runtimes.script_runner import PythonRunner
from benchbench.runtimes.tool import LaunchSpec
from benchbench.values.job import JobOutput
from benchbench.values.outcome import LaunchResult


@dataclass(frozen=True, slots=True)
class OnnxRunner(PythonRunner):
    """Builds requests for sessions; reads answers as for any runtime of the script."""

    def delegate_request(self, work: LaunchSpec) -> DelegateRequest | None:
        """Raises Unsupported where the matrix gives a symbolic dimension two sizes."""
        if not isinstance(work.delegate, OnnxBackend):
            return None
        session = work.delegate.session(work.library, work.threads)
        return replace(session, dimensions=dimensions_of(work.variant) or None, data=dict(work.data) or None)

    def read(self, work: LaunchSpec, raw: JobOutput) -> LaunchResult:
        return in_short(PythonRunner.read(self, work, raw))
