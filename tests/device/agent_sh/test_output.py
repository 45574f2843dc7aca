"""A job's arguments and files go in exactly, and what it leaves comes out whole, in bounds."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from benchbench.device.agent import SCRIPT, parse_reply
from tests.beds.namespaces import can_mount
from tests.device.agent_sh.machine import Machine


def test_a_job_leaves_its_exit_code_its_streams_and_how_the_device_was(machine: Machine) -> None:
    reply = machine.start("a", "sh", "-c", "echo out; echo err >&2; exit 5", more=("conditions",))
    assert reply.state == "DONE"
    assert reply.raw is not None
    assert (reply.raw.exit_code, reply.raw.stdout, reply.raw.stderr, reply.raw.late) == (5, b"out\n", b"err\n", False)
    assert "load" in reply.before
    assert "load" in reply.after
    assert reply.tool_s is not None
    assert 0 <= reply.tool_s < 60


def test_arguments_arrive_exactly_as_they_are(machine: Machine) -> None:
    hostile = ["a b", "", "it's", '"$(touch x)"', "*", "back\\slash", "new\nline", "-n", "--", "ünïcode", "$HOME;rm"]
    reply = machine.start("a", "printf", "<%s>", *hostile)
    assert reply.raw is not None
    assert reply.raw.stdout.decode() == "".join(f"<{word}>" for word in hostile)


def test_output_of_any_bytes_comes_back_whole(machine: Machine) -> None:
    data = bytes(range(256)) * 300 + b"\n\nstate=LOST\n\n"
    (machine.folder / "data").write_bytes(data)
    reply = machine.start("a", "sh", "-c", f"cat '{machine.folder}/data'; cat '{machine.folder}/data' >&2")
    assert reply.raw is not None
    assert (reply.raw.stdout, reply.raw.stderr) == (data, data)


def test_no_file_that_a_job_writes_grows_beyond_all_measure(machine: Machine) -> None:
    """One byte far behind the limit: a file with a hole, which costs nothing."""
    byte = ("dd", "if=/dev/zero", "of=file", "bs=1", "count=1")
    allowed, refused = machine.start("a", *byte, "seek=1000000000"), machine.start("b", *byte, "seek=1100000000")
    assert allowed.raw is not None
    assert refused.raw is not None
    assert allowed.raw.exit_code == 0
    assert refused.raw.exit_code != 0


def test_of_long_output_the_beginning_and_the_end_come_back(
    machine: Machine,
) -> None:
    script = "for f in tool.log answer; do { echo begin; head -c 3000000 /dev/zero; echo end; } > $f; done"
    reply = machine.start("a", "sh", "-c", script, more=("answer", "tool.log", "answer", "answer"))
    assert reply.raw is not None
    said, answer = reply.raw.answers["tool.log"], reply.raw.answers["answer"]
    assert (said[:6], said[-4:], len(answer)) == (b"begin\n", b"end\n", 3_000_010)
    assert b"bytes of output left out by benchbench]" in said
    assert len(said) < 1_100_000


def test_lines_are_put_into_files_of_the_jobs_folder_exactly(machine: Machine) -> None:
    lines = {"one": ' {"a": "\\u00e9\\n", "b": [$HOME, `x`, *]}\\ ', "two": "-n", "three": "", "fo ur": "ünïcode\t"}
    reply = machine.start(
        "a",
        *("sh", "-c", "cat one two three 'fo ur' > answer.json"),
        more=tuple(word for name in lines for word in ("put", name)),
        answers=("answer.json", "none"),
        stdin="".join(f"{line}\n" for line in lines.values()).encode(),
    )
    assert reply.raw is not None
    assert reply.raw.answers["answer.json"].decode().split("\n") == [*lines.values(), ""]
    assert reply.raw.answers.keys() == {"answer.json"}


@pytest.mark.parametrize(("program", "code"), [("/nowhere/tool", 127), ("/etc/passwd", 126)])
def test_what_cannot_be_run_has_a_shells_exit_code(machine: Machine, program: str, code: int) -> None:
    reply = machine.start("a", program)
    assert reply.raw is not None
    assert reply.raw.exit_code == code
    assert reply.raw.stderr


@pytest.mark.parametrize(
    ("name", "line"), [("x", b"some"), ("no/such/folder", b"some\n")], ids=["cut short", "nowhere"]
)
def test_a_start_without_its_files_leaves_nothing(machine: Machine, name: str, line: bytes) -> None:
    start = ("start", machine.jobs, "a", "9", "9", "put", name, "--", "touch", f"{machine.folder}/ran")
    assert machine.verb(*start, expect=1, stdin=line) == b""
    assert not (Path(machine.jobs) / "a").exists()
    assert not (machine.folder / "ran").exists()


@pytest.mark.parametrize(("put", "said"), [("", b""), ("put x", b"No space left on device")], ids=["", "with a file"])
def test_a_full_disk_ends_a_start_in_words(machine: Machine, put: str, said: bytes) -> None:
    if not can_mount():
        pytest.skip("mounting a small disk needs root")
    assert machine.hold is not None
    small = machine.folder / "small"
    small.mkdir()
    script = (
        f"mount -t tmpfs -o size=64k small '{small}' && mkdir '{small}/jobs' && "
        f"head -c 1000000 /dev/zero > '{small}/filler' 2>/dev/null; "
        f"sh '{SCRIPT}' start {machine.hold.name} '{small}/jobs' a 9 9 {put} -- echo hello"
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        env=os.environ | {"PATH": machine.path},
        input=b"line\n",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert said in done.stderr
    if not put:
        reply = parse_reply(done.stdout, limit_s=9)
        assert reply.raw is None or reply.raw.stdout == b""
