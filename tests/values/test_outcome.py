"""Outcomes, read back."""

from __future__ import annotations

from benchbench.values.outcome import Delegation


def test_what_older_run_folders_call_the_remainder_is_the_fallback() -> None:
    stored = '{"asked": "gpu", "verdict": "partial", "remainder": "xnnpack"}'
    read = Delegation.model_validate_json(stored)
    assert (read.fallback, read.executor) == ("xnnpack", "gpu, rest on xnnpack")
    assert (
        Delegation.model_validate_json(read.model_dump_json())
        == read
        == Delegation(asked="gpu", verdict="partial", fallback="xnnpack")
    )
