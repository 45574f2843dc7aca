from __future__ import annotations

import time

from benchbench.device_script.tflite.interpreter import failed_node


def test_a_runtimes_error_names_a_node_and_costs_no_more_than_its_length() -> None:
    texts = (
        "delegate.cc: no.Node number 3 (TfLite (x)) failed to prepare.",
        "Node number 31 (A) failed to prepare.\nNode number 4 (B) failed to prepare.",
        "Node number (A) failed to prepare.",
        "Encountered an error",
    )
    assert [failed_node(text) for text in texts] == [3, 31, None, None]
    began = time.process_time()
    for pumped in ("Node number 1 (", "9", "Node number 9", ") failed to prepare"):
        failed_node(pumped * (2_000_000 // len(pumped)))
    assert time.process_time() - began < 60  # backtracking takes hours
