"""What accelerators report: genuine lines of LiteRT 2.3."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbench.device_script.protocol import NATIVE_LOG, Delegation
from benchbench.device_script.tflite import accelerator_log

ADAPTER = "Selected adapter: SwiftShader Device (Subzero), arch=swiftshader, vendor=google, adapterType=CPU / Software"
SHARED = "108 operations will run on the GPU, and the remaining 183 operations will run on the CPU."
PARTED = "Partitioned subgraph<0>, selected 164 ops, from a total of 170 ops. resulted in 2 partitions."
APPLIED = "1 compiler plugins were applied successfully: IntelOpenVINO"
ABSENT = "ERROR: [delegate_webgpu.cc:359] Failed to initialize WebGPU environment: INTERNAL: No adapters found"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is in the working directory of a launch."""
    monkeypatch.chdir(tmp_path)


def written(*lines: str) -> None:
    Path(NATIVE_LOG).write_text("".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize(
    ("accelerator", "lines", "share"),
    [
        ("gpu", (SHARED,), ("partial", 108, 291, None)),
        ("gpu", ("No operations will run on the GPU, and all 14 operations will run on the CPU.",), ("none",)),
        ("gpu", (), ("none",)),
        ("npu", (PARTED, APPLIED), ("partial", 164, 170, 2)),
        ("npu", (PARTED, "0 compiler plugins were applied successfully: "), ("none",)),
        ("npu", (PARTED, "ERROR: Could not load shared library libx.so"), ("unavailable",)),
        ("npu", (), ("none",)),
    ],
)
def test_the_share_of_an_accelerator_is_what_its_lines_report(
    accelerator: str, lines: tuple[str, ...], share: tuple[object, ...]
) -> None:
    written(*lines)
    told = accelerator_log.partial_delegation(accelerator)
    found = (told.verdict, told.nodes_delegated, told.nodes_total, told.partitions)
    assert found == share + (None,) * (4 - len(share))
    assert told.evidence


def test_evidence_is_without_the_prefixes_of_logs() -> None:
    written(f"I0000 00:00:1795825568.707620   16675 environment.cc:532] {ADAPTER}", f"INFO: [a.cc:1] {SHARED}")
    assert accelerator_log.full_evidence("gpu") == f"compiled for the GPU alone; {ADAPTER}"
    assert accelerator_log.partial_delegation("gpu") == Delegation(
        "partial", nodes_delegated=108, nodes_total=291, evidence=f"{SHARED}; {ADAPTER}"
    )


def test_the_reason_is_the_line_that_tells_best() -> None:
    written("ERROR: something else", ABSENT, "vkCreateInstance: Found no drivers!")
    said = accelerator_log.native_reason("gpu") or ""
    assert said.startswith("Failed to initialize WebGPU environment: INTERNAL: No adapters found")
    assert "Found no drivers!" in said
    written("all is well")
    assert accelerator_log.native_reason("gpu") is None
