"""The device script over LiteRT: the python runner, with what the model itself says of the nodes that were taken."""

from __future__ import annotations

from dataclasses import dataclass

from benchbench.device_script import protocol
from benchbench.runtimes.script_runner import PythonRunner
from benchbench.runtimes.tflite.backends import UNASKED
from benchbench.runtimes.tflite.backends.owners import kernel_owner
from benchbench.runtimes.tflite.model.node_work import with_work
from benchbench.runtimes.tool import LaunchSpec
from benchbench.values.outcome import Delegation


@dataclass(frozen=True, slots=True)
class TfliteScriptRunner(PythonRunner):
    """Reads answers as for any runtime of the script, and adds the ops that were left."""

    def delegation(self, work: LaunchSpec, took: protocol.Delegation) -> Delegation:
        said = PythonRunner.delegation(self, work, took)
        own = work.delegate.kind == UNASKED
        mine = [share for share in took.shares if (kernel_owner(share.delegate or "") == UNASKED) == own]
        return with_work(said, work.variant, {number for share in mine for number in share.nodes})
