"""Run converters and models where a crash does no harm: in child processes.

    python -m benchbench.models.workshop ORDERS RECEIPTS

fills the orders (JSON lines) one after another and writes a receipt for each as it is done.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchbench.models.converters import Impossible, Order, Receipt, make

TRY_SECONDS = 300
TRY_OUT = """
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter(sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
for tensor in interpreter.get_input_details():
    if tensor["dtype"] is not np.bytes_:
        interpreter.set_tensor(tensor["index"], np.zeros(tensor["shape"], tensor["dtype"]))
interpreter.invoke()
for tensor in interpreter.get_output_details():
    interpreter.get_tensor(tensor["index"])
"""


def fill(orders: Sequence[Order]) -> list[Receipt]:
    """A receipt for every order, in order; a converter that crashes costs its own order only."""
    receipts: list[Receipt] = []
    while len(receipts) < len(orders):
        left = orders[len(receipts) :]
        done, how_it_ended = _shift(left)
        receipts += done
        if len(done) < len(left):
            receipts.append(Receipt(target=left[len(done)].target, error=f"the converter {how_it_ended}"))
    return receipts


def _shift(orders: Sequence[Order]) -> tuple[list[Receipt], str]:
    """One child process: what it got done, and how it ended."""
    with TemporaryDirectory(prefix="benchbench-") as folder:
        asked, answered = Path(folder) / "orders.jsonl", Path(folder) / "receipts.jsonl"
        asked.write_text("".join(order.model_dump_json() + "\n" for order in orders), encoding="utf-8")
        answered.touch()
        command = [sys.executable, "-m", "benchbench.models.workshop", str(asked), str(answered)]
        # A fixed hash seed: the converters iterate over sets, and same inputs should give same bytes.
        child = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env=os.environ | {"PYTHONHASHSEED": "0"},
        )
        lines = answered.read_text(encoding="utf-8").splitlines()
        return [Receipt.model_validate_json(line) for line in lines], how(child)


def runs(model: Path) -> str | None:
    """None if the interpreter can run the model on zeros; else why not, in a line. In a child, for it may abort."""
    command = [sys.executable, "-c", TRY_OUT, str(model)]
    try:
        child = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, timeout=TRY_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"the interpreter took longer than {TRY_SECONDS} s"
    return None if child.returncode == 0 else f"the interpreter {how(child)}"


def how(child: subprocess.CompletedProcess[str]) -> str:
    """How a child ended: its signal, or its exit code with the last thing it said."""
    if child.returncode < 0:
        return f"crashed ({signal.Signals(-child.returncode).name})"
    said = [line.strip() for line in child.stderr.splitlines() if line.strip()]
    return f"failed: {said[-1]}" if said else f"ended with code {child.returncode}"


def main(asked: str, answered: str) -> None:
    """The child: fill the orders of the file `asked`, append a receipt each to `answered`."""
    orders = [Order.model_validate_json(line) for line in Path(asked).read_text(encoding="utf-8").splitlines()]
    with Path(answered).open("a", encoding="utf-8") as receipts:
        for order in orders:
            try:
                receipt = make(order)
            except Exception as error:  # noqa: BLE001  # converters raise anything; the next order has its chance
                receipt = Receipt(target=order.target, error=_line(error))
            receipts.write(receipt.model_dump_json() + "\n")
            receipts.flush()


def _line(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        extra = "tensorflow" if error.name == "tensorflow" else "quantize"
        return f"{error.name} is not installed: pip install 'benchbench[{extra}]'"
    if isinstance(error, Impossible):
        return str(error)
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}"


if __name__ == "__main__":
    main(*sys.argv[1:3])
