"""Run converters where a crash does no harm: in a child process.

    python -m benchbench.runtimes.quantizing.conversion MAKER REQUESTS DESCRIPTOR

has the module MAKER make what is asked for (JSON lines) one after another, and writes a result for each to the open
file as it is done.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import IO

from pydantic import TypeAdapter

from benchbench.runtimes.quantizing.requests import ConversionRequest, ConversionResult, Fed, Impossible
from benchbench.values.process_end import how_a_child_ended

Message = ConversionResult | Fed
MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)


def convert(maker: str, requests: Sequence[ConversionRequest]) -> Generator[Message]:
    """A result of `maker.make` for every request, in their sequence and as it is done; a crash costs its own only.

    The child goes on with the next while the caller looks at a result; closing the generator ends it.
    """
    done = 0
    while done < len(requests):
        with closing(_one_process(maker, requests[done:])) as messages:
            for message in messages:
                done += isinstance(message, ConversionResult)
                yield message


def _one_process(maker: str, requests: Sequence[ConversionRequest]) -> Generator[Message]:
    """What one child process says; where it ended early, the conversion that it was at has failed."""
    done = 0
    with TemporaryDirectory(prefix="benchbench-") as folder, Path(folder, "stderr.txt").open("w+b") as said:
        asked = Path(folder, "requests.jsonl")
        asked.write_text("".join(request.model_dump_json() + "\n" for request in requests), encoding="utf-8")
        with _child(maker, asked, said) as (child, lines):
            for line in lines:
                message = MESSAGE.validate_json(line)
                done += isinstance(message, ConversionResult)
                yield message
            child.wait()
        said.seek(0)
        stderr = said.read().decode("utf-8", "replace")
    if done < len(requests):
        ended = how_a_child_ended(subprocess.CompletedProcess(child.args, child.returncode, stderr=stderr))
        yield ConversionResult(target=requests[done].target, error=f"the converter {ended}")


@contextmanager
def _child(maker: str, asked: Path, said: IO[bytes]) -> Generator[tuple[subprocess.Popen[bytes], IO[str]]]:
    """A child that converts, and what it says line by line; killed at the end if it still works then."""
    reader, writer = os.pipe()
    with open(reader, encoding="utf-8") as lines:  # noqa: PTH123  # a descriptor has no path
        try:
            child = subprocess.Popen(
                [sys.executable, "-m", "benchbench.runtimes.quantizing.conversion", maker, str(asked), str(writer)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=said,
                pass_fds=[writer],
                # A fixed hash seed: the converters iterate over sets, and same inputs should give same bytes.
                env=os.environ | {"PYTHONHASHSEED": "0"},
            )
        finally:
            os.close(writer)
        with child:
            try:
                yield child, lines
            finally:
                child.kill()


def main(maker: str, asked: str, descriptor: str) -> None:
    """The child: make what the file `asked` lists, and write a line for each to the descriptor."""
    Thread(target=_end_when_alone, daemon=True).start()
    make = import_module(maker).make
    requests = [
        ConversionRequest.model_validate_json(line) for line in Path(asked).read_text(encoding="utf-8").splitlines()
    ]
    with open(int(descriptor), "w", encoding="utf-8", buffering=1) as messages:  # noqa: PTH123  # no path

        def say(message: Message) -> None:
            messages.write(message.model_dump_json() + "\n")

        for request in requests:
            try:
                say(make(request, partial(_feeding, say, request.target)))
            except Exception as error:  # noqa: BLE001  # converters raise anything; the next has its chance
                say(ConversionResult(target=request.target, error=_line(error)))


def _end_when_alone() -> None:
    """Nobody writes to stdin: it closes when whoever asked is gone, also where that one was killed."""
    os.read(0, 1)  # not through sys.stdin, whose lock would be held while the interpreter ends
    os._exit(1)


def _feeding(say: Callable[[Message], None], target: str, fed: int, samples: int, seconds: float) -> None:
    say(Fed(target=target, fed=fed, samples=samples, seconds=seconds))


def _line(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"{error.name} is not installed: pip install {_what_has(error.name or '')}"
    if isinstance(error, Impossible):
        return str(error)
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}"


def _what_has(module: str) -> str:
    """What pip is to install: the extra of this project that has a module's package, by the project's own metadata."""
    package = module.partition(".")[0].replace("_", "-")
    with suppress(PackageNotFoundError):  # run from sources that were not installed
        for requirement in requires("benchbench") or ():
            extra = re.match(rf"{re.escape(package)}(?![\w.-]).*extra == ['\"]([\w-]+)", requirement)
            if extra:
                return f"'benchbench[{extra[1]}]'"
    return package


if __name__ == "__main__":
    main(*sys.argv[1:4])
