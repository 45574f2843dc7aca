"""agent.sh itself, in the shells it meets: its verbs, as a device runs them."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchbench.device.agent import REFUSED, SCRIPT, Reply, parse_reply, read_series
from benchbench.device.lock import Hold
from benchbench.instruments.conditions import read_conditions
from benchbench.values.job import Reading
from benchbench.values.key_values import pairs
from tests.beds.namespaces import can_mount, lock_folder

APPLETS = ("cat", "chmod", "cp", "head", "mkdir", "mv", "rm", "setsid", "sha256sum", "sleep", "uname", "wc")
SHELLS = {
    "dash": ("dash", ()),
    "bash": ("bash", ("--posix",)),
    "mksh and toybox": ("mksh", ()),
    "busybox": ("busybox", ("sh",)),
}


@dataclass(frozen=True)
class Machine:
    """A folder to work in, and a PATH on which `sh` is the shell; `hold` is what it is held by."""

    folder: Path
    path: str
    hold: Hold | None = None

    @property
    def jobs(self) -> str:
        assert self.hold is not None
        return self.hold.jobs(str(self.folder))

    def lock(self, claim: str, stale_s: int = 900, *more: str) -> dict[str, str]:
        return pairs(self.agent("lock", str(stale_s), claim, *more).decode())

    def take(self, claim: str, stale_s: int = 900, *more: str) -> Hold:
        said = self.lock(claim, stale_s, *more)
        assert said["state"] == "taken", said
        return Hold(said["number"], claim.split(maxsplit=1)[0], said["boot"])

    def verb(self, verb: str, *arguments: str, expect: int | None = 0, stdin: bytes = b"") -> bytes:
        """A verb of the holder's."""
        assert self.hold is not None
        return self.agent(verb, self.hold.name, *arguments, expect=expect, stdin=stdin)

    def agent(self, *arguments: str, expect: int | None = 0, stdin: bytes = b"") -> bytes:
        done = subprocess.run(
            ["sh", str(SCRIPT), *arguments],
            env=os.environ | {"PATH": self.path},
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
            start_new_session=True,
        )
        assert expect in {None, done.returncode}, done
        return done.stdout

    def start(
        self,
        name: str,
        *argv: str,
        limit: str = "30",
        wait: str = "20",
        more: tuple[str, ...] = (),
        answers: tuple[str, ...] = (),
        stdin: bytes = b"",
    ) -> Reply:
        words = (self.jobs, name, limit, wait, *more, *(word for answer in answers for word in ("answer", answer)))
        return parse_reply(self.verb("start", *words, "--", *argv, stdin=stdin), limit_s=float(limit))

    def poll(self, name: str, *, limit: str = "30", wait: str = "20") -> Reply:
        return parse_reply(self.verb("poll", self.jobs, name, wait), limit_s=float(limit))


@pytest.fixture(params=SHELLS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    program, options = SHELLS[request.param]
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"there is no {program} here")
    programs = tmp_path / "bin"
    programs.mkdir()
    if options:
        (programs / "sh").write_text(f'#!/bin/sh\nexec {found} {" ".join(options)} "$@"\n')
        (programs / "sh").chmod(0o755)
    else:
        (programs / "sh").symlink_to(found)
    if box := shutil.which(request.param.split()[-1]):
        for applet in APPLETS if box.endswith("box") else ():
            (programs / applet).symlink_to(box)
    (tmp_path / "work" / "jobs").mkdir(parents=True)
    machine = Machine(tmp_path / "work", f"{programs}:{os.environ['PATH']}")
    machine = replace(machine, hold=machine.take(f"{secrets.token_hex(4)} by=me"))
    Path(machine.jobs).mkdir()
    yield machine
    machine.verb("unlock", machine.jobs, expect=None)
    if can_mount():  # then it is this process's own, and a failed test has left what it took
        for entry in lock_folder().iterdir():
            entry.unlink() if entry.is_symlink() else entry.rmdir()


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
    except OSError:
        return True


def becomes_true(what: Callable[[], bool], seconds: float = 120) -> bool:
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def pids(file: Path) -> list[int]:
    assert becomes_true(lambda: file.exists() and file.read_text().endswith("\n"))
    return [int(word) for word in file.read_text().split()]


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


def test_files_are_put_into_the_jobs_folder_and_answers_come_back(machine: Machine) -> None:
    first, second = bytes(range(256)) * 9, b"second\n"
    reply = machine.start(
        "a",
        *("sh", "-c", "cat one two 'th ree' > answer.json"),
        more=("put", "one", str(len(first)), "put", "two", str(len(second)), "put", "th ree", "0"),
        answers=("answer.json", "none"),
        stdin=first + second,
    )
    assert reply.raw is not None
    assert reply.raw.answers == {"answer.json": first + second}


def test_a_second_start_of_the_same_name_starts_nothing(machine: Machine) -> None:
    argv = ("sh", "-c", f"echo run >> '{machine.folder}/runs'; until [ -e '{machine.folder}/go' ]; do sleep 0.1; done")
    assert machine.start("a", *argv, wait="0").state in {"RUNNING", "STARTING"}
    (machine.folder / "go").touch()
    assert machine.start("a", *argv).state == "DONE"
    assert machine.start("a", *argv).state == "DONE"
    assert (machine.folder / "runs").read_text() == "run\n"


def test_a_job_outlives_the_hand_that_started_it_and_is_found_again(machine: Machine) -> None:
    reply = machine.start(
        "a", "sh", "-c", f"until [ -e '{machine.folder}/go' ]; do sleep 0.1; done; echo done", wait="0"
    )
    assert reply.state in {"RUNNING", "STARTING"}
    (machine.folder / "go").touch()
    reply = machine.poll("a")
    assert reply.state == "DONE"
    assert reply.raw is not None
    assert reply.raw.stdout == b"done\n"


def in_session(leader: int) -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(session) == leader and state != "Z":
            found.add(int(stat.parent.name))
    return found


def test_who_waits_for_a_job_sleeps_once_and_is_woken_by_its_end(machine: Machine) -> None:
    assert machine.hold is not None
    job = ["--", "sh", "-c", f"until [ -e '{machine.folder}/go' ]; do sleep 0.1; done; echo done"]
    waiting = subprocess.Popen(
        ["sh", str(SCRIPT), "start", machine.hold.name, machine.jobs, "a", "900", "900", *job],
        env=os.environ | {"PATH": machine.path},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    folder = Path(machine.jobs, "a")
    assert becomes_true(lambda: any(folder.glob("asleep.*")) and (folder / "out").exists())
    first = in_session(waiting.pid)
    time.sleep(1)
    assert (len(first), in_session(waiting.pid)) == (2, first)  # the shell and its sleep
    (machine.folder / "go").touch()
    reply = parse_reply(waiting.communicate(timeout=300)[0], limit_s=900)
    assert (reply.state, reply.raw and reply.raw.stdout) == ("DONE", b"done\n")


def test_who_comes_back_to_a_job_is_woken_by_its_end_too(machine: Machine) -> None:
    assert machine.hold is not None
    machine.start("a", "sh", "-c", f"until [ -e '{machine.folder}/go' ]; do sleep 0.1; done", limit="900", wait="0")
    assert becomes_true(Path(machine.jobs, "a", "pid").exists)
    waiting = [
        subprocess.Popen(
            ["sh", str(SCRIPT), "poll", machine.hold.name, machine.jobs, "a", "900"],
            env=os.environ | {"PATH": machine.path},
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    assert becomes_true(lambda: len(list(Path(machine.jobs, "a").glob("asleep.*"))) == 2)
    (machine.folder / "go").touch()
    assert all(process.communicate(timeout=300)[0].startswith(b"state=DONE\n") for process in waiting)


@pytest.mark.parametrize(("seconds", "used"), [(1000, True), (-100, False)], ids=["fresh", "old"])
def test_the_reading_before_a_job_is_the_last_one_while_it_is_fresh(machine: Machine, seconds: int, used: bool) -> None:
    now = float(Path("/proc/uptime").read_text().split()[0])
    last = Path(machine.jobs) / "reading"
    last.write_text(f"{now + seconds}\n")
    first = machine.start("a", "true", more=("conditions",))
    assert (first.before == {"uptime": f"{now + seconds}"}) is used
    assert ("load" in first.before, "load" in first.after) == (not used, True)
    assert last.read_text() == first.after["uptime"] + "\n"


def test_a_reading_on_its_own_serves_as_that_before_the_next_job(machine: Machine) -> None:
    said = pairs(machine.verb("conditions", machine.jobs).decode())
    assert (Path(machine.jobs) / "reading").read_text() == said["uptime"] + "\n"


def test_a_reading_serves_one_job_only(machine: Machine) -> None:
    (Path(machine.jobs) / "reading").write_text("1000000000\n")
    assert machine.start("a", "true", wait="0", more=("conditions",)).state in {"DONE", "RUNNING", "STARTING"}
    assert machine.start("b", "true", more=("conditions",)).before.keys() > {"uptime"}


def test_files_are_sampled_while_a_job_runs(machine: Machine) -> None:
    current, other = machine.folder / "cur rent", machine.folder / "other"
    current.write_text("-412\\n000\n")
    other.write_text("first\nsecond")
    sampled = ("sample", "power", "1", str(current), "sample", "power", "1", str(other), "sample", "none", "1", "/none")
    script = 'until [ "$(wc -l < series.power)" -ge 6 ]; do sleep 0.1; done'
    reply = machine.start("a", "sh", "-c", script, more=sampled)
    assert reply.state == "DONE"
    assert reply.series["none"] == b""
    series = read_series(reply.series["power"], [str(current), str(other)])
    assert len(series) >= 6
    assert [(s.source, s.text) for s in series[:3]] == [
        (str(current), "-412\\n000"),
        (str(other), "first"),
        (str(other), "second"),
    ]
    assert series[3].uptime_s - series[0].uptime_s >= 0.9
    assert reply.raw is not None
    assert reply.raw.answers == {}


def at_work_in(folder: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if folder in (process / "cwd").readlink().parents:
                found.append(process.name)
    return found


def test_sampling_ends_with_the_job(machine: Machine) -> None:
    machine.start("a", "true", more=("sample", "load", "1", "/proc/loadavg"))
    assert becomes_true(lambda: at_work_in(Path(machine.jobs)) == [])


def test_a_job_that_never_was_is_absent(machine: Machine) -> None:
    assert machine.poll("nothing").state == "ABSENT"


DEAF = (
    "trap '' HUP TERM INT; sleep 60 & a=$!; setsid sh -c 'exit 0'; (sleep 60 & echo $$ $a $! > PIDS)"
    "; while :; do echo noise; done"
)


@pytest.mark.parametrize(
    "program", ["echo $$ > PIDS; exec sleep 60", DEAF], ids=["silent", "deaf, chatty and with children"]
)
def test_the_limit_ends_a_program_and_all_its_children(machine: Machine, program: str) -> None:
    names = machine.folder / "pids"
    reply = machine.start("a", "sh", "-c", program.replace("PIDS", f"'{names}'"), limit="1")
    assert reply.state == "DONE"
    assert reply.raw is not None
    assert reply.raw.late
    assert reply.raw.exit_code == 137
    assert reply.tool_s is not None
    assert 0.8 <= reply.tool_s < 60
    assert all(becomes_true(lambda pid=pid: gone(pid)) for pid in pids(names))  # type: ignore[misc]  # bound by default


def test_what_a_program_leaves_behind_is_ended_with_it(machine: Machine) -> None:
    names = machine.folder / "pids"
    reply = machine.start("a", "sh", "-c", f"sleep 60 & echo $! > '{names}'; exit 3")
    assert reply.raw is not None
    assert (reply.raw.exit_code, reply.raw.late) == (3, False)
    assert becomes_true(lambda: gone(*pids(names)))


def test_a_program_that_kills_itself_is_not_called_late(machine: Machine) -> None:
    reply = machine.start("a", "sh", "-c", "kill -9 $$")
    assert reply.raw is not None
    assert (reply.raw.exit_code, reply.raw.late) == (137, False)


@pytest.mark.parametrize(("program", "code"), [("/nowhere/tool", 127), ("/etc/passwd", 126)])
def test_what_cannot_be_run_has_a_shells_exit_code(machine: Machine, program: str, code: int) -> None:
    reply = machine.start("a", program)
    assert reply.raw is not None
    assert reply.raw.exit_code == code
    assert reply.raw.stderr


def test_end_kills_a_running_job_with_its_children_and_forgets_it(machine: Machine) -> None:
    names = machine.folder / "pids"
    machine.start("a", "sh", "-c", f"trap '' HUP TERM; sleep 60 & echo $$ $! > '{names}'; wait", wait="0")
    running = pids(names)
    machine.verb("end", machine.jobs, "a")
    assert all(becomes_true(lambda pid=pid: gone(pid)) for pid in running)  # type: ignore[misc]  # bound by default
    assert machine.poll("a").state == "ABSENT"
    machine.verb("end", machine.jobs, "a")  # nothing to end is no mistake


def test_a_sweep_ends_what_runs_and_clears_what_is_left(machine: Machine) -> None:
    names = machine.folder / "pids"
    machine.start("done", "true")
    machine.start("running", "sh", "-c", f"echo $$ > '{names}'; exec sleep 60", wait="0")
    (machine.folder / "store").mkdir()
    (Path(machine.jobs) / ".part-1").write_text("broken off")
    (machine.folder / "store" / "kept").write_text("whole")
    (Path(machine.jobs) / "lent").mkdir()
    (running,) = pids(names)
    machine.verb("sweep", machine.jobs)
    assert becomes_true(lambda: gone(running))
    assert list(Path(machine.jobs).iterdir()) == []
    assert [path.name for path in (machine.folder / "store").iterdir()] == ["kept"]


def test_only_one_job_has_the_device_a_forgotten_one_is_ended_by_the_next(machine: Machine) -> None:
    names = machine.folder / "pids"
    machine.start("forgotten", "sh", "-c", f"echo $$ > '{names}'; exec sleep 60", wait="0")
    (forgotten,) = pids(names)
    (Path(machine.jobs) / "lent").mkdir()
    assert machine.start("next", "true").state == "DONE"
    assert becomes_true(lambda: gone(forgotten))
    assert sorted(path.name for path in Path(machine.jobs).iterdir()) == ["lent", "next"]


def test_a_job_whose_leader_was_killed_is_lost_and_its_program_is_ended(machine: Machine) -> None:
    names = machine.folder / "pids"
    machine.start("a", "sh", "-c", f"echo $$ > '{names}'; exec sleep 60", wait="0")
    (program,) = pids(names)
    os.kill(int((Path(machine.jobs) / "a" / "pid").read_text().split()[0]), 9)
    assert machine.poll("a").state == "LOST"
    assert not gone(program)
    machine.verb("end", machine.jobs, "a")
    assert becomes_true(lambda: gone(program))


def test_who_waits_for_a_job_that_is_swept_away_waits_no_longer(machine: Machine) -> None:
    names = machine.folder / "pids"
    assert machine.hold is not None
    job = ["--", "sh", "-c", f"echo $$ > '{names}'; sleep 60"]
    waiting = subprocess.Popen(
        ["sh", str(SCRIPT), "start", machine.hold.name, machine.jobs, "a", "60", "20", *job],
        env=os.environ | {"PATH": machine.path},
        stdout=subprocess.PIPE,
    )
    pids(names)
    began = time.monotonic()
    machine.verb("sweep", machine.jobs)
    assert b"state=" in waiting.communicate(timeout=60)[0]
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("put", [("x", "9"), ("no/such/folder", "4")], ids=["cut short", "nowhere to put it"])
def test_a_start_without_its_files_leaves_nothing(machine: Machine, put: tuple[str, str]) -> None:
    start = ("start", machine.jobs, "a", "9", "9", "put", *put, "--", "touch", f"{machine.folder}/ran")
    assert machine.verb(*start, expect=1, stdin=b"some") == b""
    assert not (Path(machine.jobs) / "a").exists()
    assert not (machine.folder / "ran").exists()


def accept(machine: Machine, content: bytes, digest: str, size: int, expect: int) -> tuple[bytes, Path]:
    temporary, final = machine.folder / "tem porary", machine.folder / "fi'nal"
    temporary.write_bytes(content)
    said = machine.verb("accept", str(temporary), str(final), digest, str(size), "755", expect=expect)
    assert not temporary.exists()
    return said, final


def test_a_file_that_arrived_whole_gets_its_name_and_mode(machine: Machine) -> None:
    content = b"some bytes"
    said, final = accept(machine, content, hashlib.sha256(content).hexdigest(), len(content), 0)
    assert (said, final.read_bytes(), final.stat().st_mode & 0o777) == (b"", content, 0o755)


def test_a_file_that_is_too_short_or_another_is_refused(machine: Machine) -> None:
    said, final = accept(machine, b"some", hashlib.sha256(b"some bytes").hexdigest(), 10, 1)
    assert said == b"size 4, not 10\n"
    assert not final.exists()
    said, final = accept(machine, b"same bytes", hashlib.sha256(b"some bytes").hexdigest(), 10, 1)
    assert said.startswith(b"sha256 ")
    assert not final.exists()


def test_have_names_the_files_that_are_there_and_not_empty(machine: Machine) -> None:
    (machine.folder / "a b'c").write_text("x")
    (machine.folder / "torn").touch()
    wanted = [str(machine.folder / name) for name in ("a b'c", "torn", "missing")]
    assert machine.agent("have", *wanted).decode().splitlines() == wanted[:1]


def test_a_lock_has_one_holder_who_may_take_it_again(machine: Machine) -> None:
    assert machine.hold is not None
    assert machine.take(f"{machine.hold.token} by=me") == machine.hold
    held = machine.lock("you by=you")
    assert (held["state"], held["number"]) == ("held", machine.hold.number)
    assert held["holder"] == f"{machine.hold.token} by=me"
    assert float(held["since"]) <= float(held["now"])


def test_only_the_holder_unlocks(machine: Machine) -> None:
    assert machine.hold is not None
    stranger = replace(machine, hold=replace(machine.hold, token="stranger"))
    stranger.verb("unlock", machine.jobs, expect=REFUSED)
    assert machine.lock("you by=you")["state"] == "held"
    machine.verb("unlock", machine.jobs)
    you = replace(machine, hold=machine.take("you by=you"))
    assert machine.lock("me by=me")["state"] == "held"
    you.verb("unlock", you.jobs)


def test_a_lock_is_broken_only_while_it_is_still_the_one_that_has_ended(machine: Machine) -> None:
    assert machine.hold is not None
    first = machine.take("first by=1", 900, "ended", machine.hold.number)
    late = machine.lock("second by=2", 900, "ended", machine.hold.number)
    assert (late["state"], late["number"], late["holder"]) == ("held", first.number, "first by=1")
    machine.agent("unlock", first.name, machine.jobs)


@pytest.mark.parametrize("free", [False, True], ids=["stale", "free"])
def test_of_many_that_want_a_lock_at_once_one_has_it_and_others_hear_which(machine: Machine, free: bool) -> None:
    assert machine.hold is not None
    number = machine.hold.number
    if free:
        machine.verb("unlock", machine.jobs)
    more = () if free else ("ended", number)
    started = [
        subprocess.Popen(
            ["sh", str(SCRIPT), "lock", "900", f"token{owner} by={owner}", *more],
            env=os.environ | {"PATH": machine.path},
            stdout=subprocess.PIPE,
        )
        for owner in range(12)
    ]
    said = [pairs(process.communicate()[0].decode()) for process in started]
    (winner,) = [owner for owner, reply in enumerate(said) if reply["state"] == "taken"]
    losers = [reply for reply in said if reply["state"] != "taken"]
    assert {(reply["state"], reply["holder"]) for reply in losers} == {("held", f"token{winner} by={winner}")}
    hold = Hold(said[winner]["number"], f"token{winner}", said[winner]["boot"])
    machine.agent("unlock", hold.name, machine.jobs)


def test_every_verb_of_a_hold_that_no_longer_counts_is_refused(machine: Machine) -> None:
    assert machine.hold is not None
    (machine.folder / "store").mkdir()
    sent = machine.folder / "store" / ".sent"
    sent.write_text("x")
    winner = replace(machine, hold=machine.take("winner by=2", 900, "ended", machine.hold.number))
    Path(winner.jobs).mkdir()
    assert winner.start("a", "sh", "-c", "sleep 30", wait="0").state in {"RUNNING", "STARTING"}
    for verb in (
        ("conditions", machine.jobs),
        ("accept", str(sent), f"{sent}.final", "0" * 64, "1", "644"),
        ("sweep", machine.jobs),
        ("start", machine.jobs, "b", "9", "0", "--", "touch", f"{machine.folder}/ran"),
        ("poll", machine.jobs, "a", "0"),
        ("end", machine.jobs, "a"),
        ("unlock", machine.jobs),
        ("clean", str(machine.folder)),
    ):
        assert machine.verb(*verb, expect=REFUSED) == b"state=REFUSED\n\n"
    assert winner.poll("a", wait="0").state == "RUNNING"
    assert not (machine.folder / "ran").exists()
    assert sent.exists()
    winner.verb("unlock", winner.jobs)


def test_who_takes_a_stale_lock_ends_the_job_under_it_in_any_work_folder(machine: Machine) -> None:
    assert machine.hold is not None
    names = machine.folder / "pids"
    machine.start("left", "sh", "-c", f"trap '' TERM HUP; sleep 60 & echo $$ $! > '{names}'; wait", wait="0")
    running = pids(names)
    said = machine.lock("next by=2", 900, "ended", machine.hold.number)
    assert (said["state"], said["why"], said["ended"]) == ("taken", "ended", "left")
    assert all(gone(pid) for pid in running)
    machine.agent("unlock", Hold(said["number"], "next", said["boot"]).name, f"{machine.folder}/elsewhere/jobs/x")


def test_a_job_that_begins_as_its_lock_is_broken_does_not_run(machine: Machine) -> None:
    """The start has been allowed, and its job comes to life only after somebody else has taken the device."""
    assert machine.hold is not None
    winner = machine.take("winner by=2", 900, "ended", machine.hold.number)
    folder = Path(machine.jobs) / "late"
    folder.mkdir()
    ran = str(machine.folder / "ran")
    late = ["sh", str(SCRIPT), "job", str(lock_folder()), machine.hold.number, "9", "touch", ran]
    subprocess.run(late, cwd=folder, env=os.environ | {"PATH": machine.path}, check=False, timeout=60)
    assert not (machine.folder / "ran").exists()
    assert not list(lock_folder().glob("*.job.*"))
    machine.agent("unlock", winner.name, machine.jobs)


def test_a_job_whose_lock_is_broken_before_its_registration_does_not_run(machine: Machine) -> None:
    """Who takes the device just then has looked for jobs before this one could be seen."""
    assert machine.hold is not None
    winner, programs = int(machine.hold.number) + 1, machine.folder / "programs"
    link = lock_folder() / str(winner)
    programs.mkdir()
    (programs / "mkdir").write_text(
        f"#!/bin/sh\ncase $1 in *.job.*) ln -s '{machine.hold.boot} 1 winner by=2' '{link}' ;; esac\n"
        f'exec {shutil.which("mkdir")} "$@"\n'
    )
    (programs / "mkdir").chmod(0o755)
    folder = Path(machine.jobs) / "late"
    folder.mkdir()
    ran = str(machine.folder / "ran")
    late = ["sh", str(SCRIPT), "job", str(lock_folder()), machine.hold.number, "9", "touch", ran]
    path = f"{programs}:{machine.path}"
    subprocess.run(late, cwd=folder, env=os.environ | {"PATH": path}, check=False, timeout=60)
    if not link.is_symlink():
        pytest.skip("this shell has a mkdir of its own")
    assert not (machine.folder / "ran").exists()
    assert not list(lock_folder().glob("*.job.*"))
    machine.agent("unlock", f"{winner}.winner", machine.jobs)


def test_who_waits_for_a_job_when_the_device_is_taken_gets_no_result(machine: Machine) -> None:
    assert machine.hold is not None
    machine.start("a", "sh", "-c", "echo begun; sleep 60", wait="0")
    waiting = subprocess.Popen(
        ["sh", str(SCRIPT), "poll", machine.hold.name, machine.jobs, "a", "50"],
        env=os.environ | {"PATH": machine.path},
        stdout=subprocess.PIPE,
    )
    time.sleep(1.5)  # so that it waits by now; if it does not, it is refused all the sooner
    winner = machine.take("winner by=2", 900, "ended", machine.hold.number)
    said = waiting.communicate(timeout=60)[0]
    assert waiting.returncode == REFUSED
    assert said.endswith(b"state=REFUSED\n\n")
    machine.agent("unlock", winner.name, machine.jobs)


def test_a_holder_that_gave_no_sign_for_longer_than_the_limit_has_lost_the_lock(machine: Machine) -> None:
    assert machine.hold is not None
    assert machine.lock("you by=you", 60)["state"] == "held"
    time.sleep(3.2)
    said = machine.lock("you by=you", 2)
    assert (said["state"], said["why"]) == ("taken", "silent")
    machine.agent("unlock", Hold(said["number"], "you", said["boot"]).name, machine.jobs)


def test_every_verb_and_a_running_job_that_is_waited_for_are_signs_of_life(machine: Machine) -> None:
    assert machine.hold is not None
    assert machine.start("a", "sleep", "9").state == "DONE"
    assert machine.lock("you by=you", 8)["state"] == "held"
    time.sleep(5)
    machine.verb("conditions", machine.jobs)
    time.sleep(4)
    assert machine.lock("you by=you", 8)["state"] == "held"


def test_signs_of_life_that_cannot_be_cleared_away_cost_nobody_the_device(machine: Machine) -> None:
    assert machine.hold is not None
    for beat in lock_folder().glob("*.beat.*"):
        beat.rmdir()
    for second in range(20):
        beat = lock_folder() / f"{machine.hold.number}.beat.{1_000_000_000 + second}"
        (beat / "left").mkdir(parents=True)
    machine.verb("conditions", machine.jobs)
    for beat in lock_folder().glob("*.beat.*"):
        shutil.rmtree(beat)


def test_a_hold_of_an_earlier_boot_counts_no_more_and_its_holder_may_take_it_again(machine: Machine) -> None:
    if not can_mount():
        pytest.skip("a boot id of its own needs root")
    assert machine.hold is not None
    (machine.folder / "boot").write_text("0badcafe-another-boot\n")
    script = (
        f"mount --bind '{machine.folder}/boot' /proc/sys/kernel/random/boot_id || exit; hand='{SCRIPT}'; "
        'sh "$hand" conditions "$1" .; sh "$hand" lock 900 "${1#*.} by=me"; sh "$hand" lock 900 "you by=you"'
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", machine.hold.name],
        env=os.environ | {"PATH": machine.path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.startswith("state=REFUSED\n\n"), done
    mine, _, yours = done.stdout.removeprefix("state=REFUSED\n\n").rpartition("state=")
    taken = pairs(mine)
    assert (taken["state"], taken["boot"]) == ("taken", "0badcafe-another-boot")
    assert int(taken["number"]) == int(machine.hold.number) + 1
    assert yours.startswith("held\n")


def test_others_records_are_data_and_never_run(machine: Machine) -> None:
    """Some shells evaluate what stands in brackets in an arithmetic expression."""
    assert machine.hold is not None
    folder, number = lock_folder(), int(machine.hold.number) + 1
    for name in ("1[$(id>r)]", f"{number}.beat.1[$(id>r)]", "1[$(id>r)].job.1.2", f"{number}.job.1[$(id>r)].2"):
        (folder / name).mkdir()
    (folder / str(number)).symlink_to(f"{machine.hold.boot} x[$(id>r)] token by=evil")
    before = set(machine.folder.iterdir())
    assert machine.lock("you by=you", 5)["state"] in {"held", "taken"}
    assert set(machine.folder.iterdir()) == before
    for entry in folder.iterdir():
        entry.unlink() if entry.is_symlink() else entry.rmdir()


@pytest.mark.parametrize("of", ["an earlier boot", "another account"])
def test_a_process_that_is_no_job_is_left_alone_whatever_is_written_down_of_it(machine: Machine, of: str) -> None:
    if not can_mount():
        pytest.skip("a folder of another account needs root")
    assert machine.hold is not None
    bystander = subprocess.Popen(["sleep", "60"], start_new_session=True)
    started = Path(f"/proc/{bystander.pid}/stat").read_text().rpartition(")")[2].split()[19]
    number = int(machine.hold.number) + (1 if of == "an earlier boot" else 0)
    registered = lock_folder() / f"{number}.job.{bystander.pid}.{started}"
    registered.mkdir()
    if of == "an earlier boot":
        (lock_folder() / str(number)).symlink_to("0badcafe-earlier 1 token by=me")
    else:
        os.chown(registered, 4321, 4321)
    machine.take("next by=2", 900, "ended", str(number))
    assert bystander.poll() is None
    assert not registered.exists()
    bystander.kill()
    bystander.wait()


@pytest.mark.parametrize("before", ["true", "mkdir -m 700 $folder", "mkdir -m 1777 $folder"])
def test_the_lock_folder_is_made_open_to_every_account_or_opened_by_its_owner(machine: Machine, before: str) -> None:
    """In a sticky place, as systems have them, by an account that keeps to itself what it makes."""
    folder = lock_folder()
    if not can_mount() or folder.parent != Path("/run/lock"):
        pytest.skip("a place of locks of its own needs root and /run/lock")
    script = (
        f"mount -t tmpfs -o mode=1777 l /run/lock || exit; umask 077; folder='{folder}'; {before}; "
        f"sh '{SCRIPT}' lock 900 'me by=me'; stat -c mode=%a \"$folder\""
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        env=os.environ | {"PATH": machine.path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = pairs(done.stdout)
    assert (said["state"], said["mode"]) == ("taken", "777"), done


def test_a_lock_folder_that_others_could_not_write_is_named(machine: Machine) -> None:
    if not can_mount():
        pytest.skip("mounting needs root")
    folder = lock_folder()
    for mount in (
        f"mount -t tmpfs -o mode=755,ro l '{folder}'",
        f"mount -t tmpfs -o mode=1777,ro l '{folder}'",
        f"mount -t tmpfs -o mode=777,nr_inodes=1 l '{folder}'",
    ):
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", f"{mount} && sh '{SCRIPT}' lock 900 'me by=me'"],
            env=os.environ | {"PATH": machine.path},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert pairs(done.stdout) == {"state": "impossible", "place": str(folder)}, done


def test_holds_of_long_ago_are_forgotten_and_their_numbers_not_used_again(machine: Machine) -> None:
    assert machine.hold is not None
    machine.verb("unlock", machine.jobs)
    number, boot = int(machine.hold.number), machine.hold.boot
    for passed in range(2, 80):
        (lock_folder() / str(number + passed)).symlink_to(f"{boot} 1 free")
    hold = machine.take("me by=me")
    assert int(hold.number) == number + 80
    kept = [int(path.name) for path in lock_folder().iterdir() if path.name.isdecimal()]
    assert min(kept) == number + 80 - 64
    machine.agent("conditions", machine.hold.name, machine.jobs, expect=REFUSED)
    machine.agent("unlock", hold.name, machine.jobs)


def test_what_another_machine_does_in_a_shared_work_folder_is_left_alone(machine: Machine) -> None:
    """A home on the network is the work folder of many machines, each of which has a lock of its own."""
    assert machine.hold is not None
    root = Path(machine.jobs).parent
    (root / f"{machine.hold.boot}.1000000000" / "old").mkdir(parents=True)
    busy, left = root / "another-boot.1000000007", root / "yet-another.1000000003"
    (busy / "its job").mkdir(parents=True)
    left.mkdir()
    os.utime(left, (time.time() - 3 * 86400,) * 2)
    machine.verb("sweep", machine.jobs)
    assert sorted(path.name for path in root.iterdir()) == sorted([busy.name, Path(machine.jobs).name])
    assert (busy / "its job").is_dir()


def test_clean_removes_what_is_ours_and_leaves_what_is_not(machine: Machine) -> None:
    (machine.folder / "store").mkdir()
    (machine.folder / "thesis.txt").write_text("precious")
    machine.verb("clean", str(machine.folder))
    assert [path.name for path in machine.folder.iterdir()] == ["thesis.txt"]
    (machine.folder / "thesis.txt").unlink()
    hold = machine.take("again by=me")
    machine.agent("clean", hold.name, str(machine.folder))
    assert not machine.folder.exists()
    machine.folder.mkdir()
    machine.agent("unlock", machine.take("free again by=me").name, machine.jobs)


def test_a_probe_says_what_the_machine_is(machine: Machine) -> None:
    said = pairs(machine.agent("probe", expect=None).decode())
    assert said["kernel"] == "Linux"
    assert float(said["memory_kb"]) > 1000
    assert said["online"]
    assert said["boot_id"]


def test_an_unknown_verb_is_refused(machine: Machine) -> None:
    machine.agent("dance", expect=2)


def test_a_full_disk_ends_a_start_in_words(machine: Machine) -> None:
    if not can_mount():
        pytest.skip("mounting a small disk needs root")
    assert machine.hold is not None
    small = machine.folder / "small"
    small.mkdir()
    script = (
        f"mount -t tmpfs -o size=64k small '{small}' && mkdir '{small}/jobs' && "
        f"head -c 1000000 /dev/zero > '{small}/filler' 2>/dev/null; "
        f"sh '{SCRIPT}' start {machine.hold.name} '{small}/jobs' a 9 9 -- echo hello"
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        env=os.environ | {"PATH": machine.path},
        capture_output=True,
        timeout=60,
        check=False,
    )
    reply = parse_reply(done.stdout, limit_s=9)
    assert reply.raw is None or reply.raw.stdout == b""


DUMPSYS = Path(__file__).parents[3] / "shared" / "cases" / "23-phone-temperatures-only-in-dumpsys" / "dumpsys"


@pytest.mark.skipif(not DUMPSYS.exists(), reason="the cases are not here")
def test_where_no_zone_can_be_read_the_thermal_service_tells_the_temperature(machine: Machine) -> None:
    if not can_mount():
        pytest.skip("a machine without thermal zones needs root")
    assert machine.hold is not None
    done = subprocess.run(
        [
            "unshare",
            "-m",
            "sh",
            "-c",
            'mount -t tmpfs none /sys/class/thermal; exec sh "$@"',
            "sh",
            str(SCRIPT),
            "conditions",
            machine.hold.name,
            machine.jobs,
        ],
        env=os.environ | {"PATH": f"{DUMPSYS.parent}:{machine.path}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    seen = read_conditions(Reading(datetime.now(UTC), pairs(done.stdout)))
    assert seen.temperature_c == pytest.approx(62.5, abs=0.01)
    assert set(seen.temperatures_c) == {"CPU0", "GPU", "VIRTUAL-SKIN"}
    assert (seen.battery_percent, seen.charging, seen.throttled) == (85, True, ())
