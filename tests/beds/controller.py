"""Another controller: a process that holds a device and runs jobs there as it is told, a line each."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from benchbench.device.session import open_session
from benchbench.values.device import Device
from benchbench.values.errors import BenchbenchError
from benchbench.values.job import Job, Setting


class Controller:
    """`answer` waits for what came of the oldest job not asked for yet, or of the opening."""

    def __init__(
        self, device: Device, purpose: str, *, stale_s: int = 900, settings: Mapping[str, str] | None = None
    ) -> None:
        words = [device.model_dump_json(), purpose, str(stale_s), json.dumps(dict(settings or {}))]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.beds.controller", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def __enter__(self) -> Controller:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.thaw()
        guard = threading.Timer(60, self._process.kill)
        guard.start()
        self._process.communicate()
        guard.cancel()

    def answer(self) -> str:
        """ "taken", "exit CODE" of a job, or an error: its kind and what it says."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def begin(self, name: str, script: str) -> None:
        assert self._process.stdin is not None
        print(name, script, file=self._process.stdin, flush=True)

    def run(self, name: str, script: str) -> str:
        self.begin(name, script)
        return self.answer()

    def freeze(self) -> None:
        """As a laptop that sleeps: it does nothing any more, and knows nothing of it."""
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)


def _told(error: BenchbenchError) -> str:
    return f"{type(error).__name__}: {error}"


def main() -> None:
    device, purpose, stale_s = Device.model_validate_json(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    settings = tuple(Setting(name, value) for name, value in json.loads(sys.argv[4]).items())
    try:
        with open_session(device, purpose=purpose, stale_s=stale_s, patience_s=30) as session:
            print("taken", flush=True)
            for line in sys.stdin:
                name, _, script = line.rstrip("\n").partition(" ")
                try:
                    done = session.run(
                        name, Job(argv=("sh", "-c", script), timeout_s=60, settings=settings), outputs_to=Path()
                    )
                    print(f"exit {done.raw.exit_code}", flush=True)
                except BenchbenchError as error:
                    print(_told(error), flush=True)
    except BenchbenchError as error:
        print(_told(error), flush=True)


if __name__ == "__main__":
    main()
