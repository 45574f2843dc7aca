"""hand.sh itself, in the shells it meets: its verbs, as a device runs them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchbench.conditions import pairs, read_conditions
from benchbench.session.hand import SCRIPT, Reply, parse_reply
from tests.beds.namespaces import can_mount

APPLETS = ("cat", "chmod", "cp", "head", "mkdir", "mv", "rm", "setsid", "sha256sum", "sleep", "uname", "wc")
SHELLS = {
    "dash": ("dash", ()),
    "bash": ("bash", ("--posix",)),
    "mksh and toybox": ("mksh", ()),
    "busybox": ("busybox", ("sh",)),
}


@dataclass(frozen=True)
class Machine:
    """A folder to work in, and a PATH on which `sh` is the shell."""

    folder: Path
    path: str

    @property
    def jobs(self) -> str:
        return str(self.folder / "jobs")

    def hand(self, *arguments: str, expect: int | None = 0) -> bytes:
        done = subprocess.run(
            ["sh", str(SCRIPT), *arguments],
            env=os.environ | {"PATH": self.path},
            cwd=self.folder,
            capture_output=True,
            timeout=60,
            check=False,
            start_new_session=True,
        )
        assert expect in {None, done.returncode}, done
        return done.stdout

    def start(self, name: str, *argv: str, limit: str = "30", wait: str = "20", more: tuple[str, ...] = ()) -> Reply:
        return parse_reply(self.hand("start", self.jobs, name, limit, wait, *more, "--", *argv), limit_s=float(limit))

    def poll(self, name: str, *, limit: str = "30", wait: str = "20") -> Reply:
        return parse_reply(self.hand("poll", self.jobs, name, wait), limit_s=float(limit))


@pytest.fixture(params=SHELLS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
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
    return Machine(tmp_path / "work", f"{programs}:{os.environ['PATH']}")


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
    except OSError:
        return True


def becomes_true(what: Callable[[], bool], seconds: float = 5) -> bool:
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
    reply = machine.start("a", "sh", "-c", "echo out; echo err >&2; exit 5")
    assert reply.state == "DONE"
    assert reply.raw is not None
    assert (reply.raw.exit_code, reply.raw.stdout, reply.raw.stderr, reply.raw.late) == (5, b"out\n", b"err\n", False)
    assert "load" in reply.before
    assert "load" in reply.after
    assert reply.tool_s is not None
    assert 0 <= reply.tool_s < 5


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


def test_files_are_put_into_the_jobs_folder_and_answers_come_back(machine: Machine) -> None:
    (machine.folder / "staged file").write_bytes(b"request")
    reply = machine.start(
        "a",
        *("sh", "-c", "cat request.json > answer.json"),
        more=("put", "request.json", str(machine.folder / "staged file"), "answer", "answer.json", "answer", "none"),
    )
    assert reply.raw is not None
    assert reply.raw.answers == {"answer.json": b"request"}


def test_a_second_start_of_the_same_name_starts_nothing(machine: Machine) -> None:
    argv = ("sh", "-c", f"echo run >> '{machine.folder}/runs'; sleep 0.5")
    assert machine.start("a", *argv, wait="0").state in {"RUNNING", "STARTING"}
    assert machine.start("a", *argv).state == "DONE"
    assert machine.start("a", *argv).state == "DONE"
    assert (machine.folder / "runs").read_text() == "run\n"


def test_a_job_outlives_the_hand_that_started_it_and_is_found_again(machine: Machine) -> None:
    reply = machine.start("a", "sh", "-c", "sleep 0.7; echo done", wait="0")
    assert reply.state in {"RUNNING", "STARTING"}
    reply = machine.poll("a")
    assert reply.state == "DONE"
    assert reply.raw is not None
    assert reply.raw.stdout == b"done\n"


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
    assert 0.8 <= reply.tool_s < 4
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
    machine.hand("end", machine.jobs, "a")
    assert all(becomes_true(lambda pid=pid: gone(pid)) for pid in running)  # type: ignore[misc]  # bound by default
    assert machine.poll("a").state == "ABSENT"
    machine.hand("end", machine.jobs, "a")  # nothing to end is no mistake


def test_a_sweep_ends_what_runs_and_clears_what_is_left(machine: Machine) -> None:
    names = machine.folder / "pids"
    machine.start("done", "true")
    machine.start("running", "sh", "-c", f"echo $$ > '{names}'; exec sleep 60", wait="0")
    (machine.folder / "store").mkdir()
    (machine.folder / "store" / ".part-1").write_text("broken off")
    (machine.folder / "store" / "kept").write_text("whole")
    (Path(machine.jobs) / "lent").mkdir()
    (running,) = pids(names)
    assert machine.hand("sweep", machine.jobs) == b"ended running\n"
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
    os.kill(int((Path(machine.jobs) / "a" / "pid").read_text()), 9)
    assert machine.poll("a").state == "LOST"
    assert not gone(program)
    machine.hand("end", machine.jobs, "a")
    assert becomes_true(lambda: gone(program))


def test_a_job_of_an_earlier_boot_is_told_from_one_that_runs(machine: Machine) -> None:
    machine.start("a", "sleep", "60", wait="0")
    assert becomes_true((Path(machine.jobs) / "a" / "pid").exists)
    boot = Path(machine.jobs) / "a" / "boot"
    ours = boot.read_text()
    boot.write_text("another\n")
    assert machine.poll("a").state == "REBOOTED"
    boot.write_text(ours)
    machine.hand("end", machine.jobs, "a")


def test_who_waits_for_a_job_that_is_swept_away_waits_no_longer(machine: Machine) -> None:
    names = machine.folder / "pids"
    waiting = subprocess.Popen(
        ["sh", str(SCRIPT), "start", machine.jobs, "a", "60", "20", "--", "sh", "-c", f"echo $$ > '{names}'; sleep 60"],
        env=os.environ | {"PATH": machine.path},
        stdout=subprocess.PIPE,
    )
    pids(names)
    began = time.monotonic()
    machine.hand("sweep", machine.jobs)
    assert b"state=" in waiting.communicate(timeout=10)[0]
    assert time.monotonic() - began < 5


def test_a_start_without_its_files_leaves_nothing(machine: Machine) -> None:
    said = machine.hand("start", machine.jobs, "a", "9", "9", "put", "x", "/nowhere", "--", "true", expect=1)
    assert said == b""
    assert not (Path(machine.jobs) / "a").exists()


def accept(machine: Machine, content: bytes, digest: str, size: int, expect: int) -> tuple[bytes, Path]:
    temporary, final = machine.folder / "tem porary", machine.folder / "fi'nal"
    temporary.write_bytes(content)
    said = machine.hand("accept", str(temporary), str(final), digest, str(size), "755", expect=expect)
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
    assert machine.hand("have", *wanted).decode().splitlines() == wanted[:1]


def test_a_lock_has_one_holder_who_may_take_it_again(machine: Machine) -> None:
    folder = str(machine.folder / "lock")
    assert pairs(machine.hand("lock", folder, "me").decode()) == {"state": "taken"}
    assert pairs(machine.hand("lock", folder, "me").decode()) == {"state": "taken"}
    held = pairs(machine.hand("lock", folder, "you").decode())
    assert (held["state"], held["owner"], held["same_boot"]) == ("held", "me", "yes")
    assert float(held["beat"]) <= float(held["now"])


def test_only_the_holder_unlocks(machine: Machine) -> None:
    folder = str(machine.folder / "lock")
    machine.hand("lock", folder, "me")
    machine.hand("unlock", folder, "you")
    assert pairs(machine.hand("lock", folder, "you").decode())["state"] == "held"
    machine.hand("unlock", folder, "me")
    assert pairs(machine.hand("lock", folder, "you").decode())["state"] == "taken"


def test_a_lock_is_broken_only_while_it_is_still_the_stale_one(machine: Machine) -> None:
    folder = str(machine.folder / "lock")
    machine.hand("lock", folder, "stale")
    assert pairs(machine.hand("lock", folder, "first", "break", "stale").decode())["state"] == "taken"
    late = pairs(machine.hand("lock", folder, "second", "break", "stale").decode())
    assert (late["state"], late["owner"]) == ("held", "first")


def test_of_many_that_break_a_stale_lock_at_once_one_has_it(machine: Machine) -> None:
    folder = str(machine.folder / "lock")
    machine.hand("lock", folder, "stale")
    started = [
        subprocess.Popen(
            ["sh", str(SCRIPT), "lock", folder, f"owner{number}", "break", "stale"],
            env=os.environ | {"PATH": machine.path},
            stdout=subprocess.PIPE,
        )
        for number in range(6)
    ]
    said = [process.communicate()[0] for process in started]
    assert sum(b"state=taken" in text for text in said) == 1, said


def test_a_lock_that_is_just_being_made_is_not_taken_for_an_old_one(machine: Machine) -> None:
    folder = machine.folder / "lock"
    folder.mkdir()
    asking = subprocess.Popen(
        ["sh", str(SCRIPT), "lock", str(folder), "you"], env=os.environ | {"PATH": machine.path}, stdout=subprocess.PIPE
    )
    time.sleep(0.3)
    (folder / "owner").write_text("me\n")
    (folder / "boot").write_bytes(Path("/proc/sys/kernel/random/boot_id").read_bytes())
    (folder / "beat").write_text("1\n")
    held = pairs(asking.communicate()[0].decode())
    assert (held["owner"], held["same_boot"]) == ("me", "yes")


def test_jobs_polls_and_looks_at_conditions_are_beats_of_the_lock(machine: Machine) -> None:
    beat = machine.folder / "lock" / "beat"
    machine.hand("lock", str(machine.folder / "lock"), "me")
    for verb in (
        ("start", machine.jobs, "a", "9", "9", "--", "true"),
        ("poll", machine.jobs, "a", "9"),
        ("conditions", machine.jobs),
    ):
        beat.write_text("0\n")
        machine.hand(*verb)
        assert float(beat.read_text()) > 0


def test_clean_removes_what_is_ours_and_leaves_what_is_not(machine: Machine) -> None:
    for name in ("store", "jobs/a", "lock"):
        (machine.folder / name).mkdir(parents=True)
    (machine.folder / "thesis.txt").write_text("precious")
    machine.hand("clean", str(machine.folder))
    assert [path.name for path in machine.folder.iterdir()] == ["thesis.txt"]
    (machine.folder / "thesis.txt").unlink()
    machine.hand("clean", str(machine.folder))
    assert not machine.folder.exists()


def test_a_probe_says_what_the_machine_is(machine: Machine) -> None:
    said = pairs(machine.hand("probe", expect=None).decode())
    assert said["kernel"] == "Linux"
    assert float(said["memory_kb"]) > 1000
    assert said["online"]
    assert said["boot_id"]


def test_an_unknown_verb_is_refused(machine: Machine) -> None:
    machine.hand("dance", expect=2)


def test_a_full_disk_ends_a_start_and_a_lock_in_words(machine: Machine) -> None:
    if not can_mount():
        pytest.skip("mounting a small disk needs root")
    small = machine.folder / "small"
    small.mkdir()
    script = (
        f"mount -t tmpfs -o size=64k small '{small}' && mkdir '{small}/jobs' && "
        f"head -c 1000000 /dev/zero > '{small}/filler' 2>/dev/null; "
        f"sh '{SCRIPT}' lock '{small}/lock' me; "
        f"sh '{SCRIPT}' start '{small}/jobs' a 9 9 -- echo hello"
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        env=os.environ | {"PATH": machine.path},
        capture_output=True,
        timeout=60,
        check=False,
    )
    lock, _, rest = done.stdout.partition(b"\n")
    assert lock == b"state=impossible"
    reply = parse_reply(rest, limit_s=9)
    assert reply.raw is None or reply.raw.stdout == b""


DUMPSYS = Path(__file__).parents[3] / "shared" / "cases" / "23-phone-temperatures-only-in-dumpsys" / "dumpsys"


@pytest.mark.skipif(not DUMPSYS.exists(), reason="the cases are not here")
def test_where_no_zone_can_be_read_the_thermal_service_tells_the_temperature(machine: Machine) -> None:
    if not can_mount():
        pytest.skip("a machine without thermal zones needs root")
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
        ],
        env=os.environ | {"PATH": f"{DUMPSYS.parent}:{machine.path}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    seen = read_conditions(pairs(done.stdout))
    assert seen.temperature_c == pytest.approx(62.5, abs=0.01)
    assert set(seen.temperatures_c) == {"CPU0", "GPU", "VIRTUAL-SKIN"}
    assert (seen.battery_percent, seen.charging, seen.throttled) == (85, True, ())
