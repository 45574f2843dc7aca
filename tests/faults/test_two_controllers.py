"""Two controllers and one device: never two jobs at once, the loser is told in one line, the winner is untouched."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

import pytest

from benchbench.device.session import open_session
from benchbench.transports import connect
from benchbench.values.device import Address, Device
from benchbench.values.errors import DeviceBusy
from tests.beds.controller import Controller
from tests.beds.namespaces import can_mount
from tests.beds.phone import Phone
from tests.beds.sshd import Board

STALE_S = 60  # the limit of those who come second; the others have 15 minutes
# Signs of life of the holder, aged to when the machine was started instead of waited for.
SILENCE = (
    "for place in /data/local/tmp /run/lock /tmp /dev/shm; do cd $place/benchbench.lock 2>/dev/null || continue; "
    "for beat in *.beat.*; do rmdir $beat && mkdir ${beat%.*}.1000000000; done 2>/dev/null; break; done"
)

pytestmark = pytest.mark.skipif(not can_mount(), reason="a lock and a boot id of a device's own need root")


@dataclass(frozen=True)
class Shared:
    """A device that two controllers know by two names, with two work folders; `log` is a folder there."""

    first: Device
    second: Device
    log: str
    reboot: Callable[[], None]

    def job(self, name: str, seconds: float, *, until: str = "true") -> str:
        """A script that writes down that it ran, and whether another one did at the same time."""
        return (
            f"cd {self.log}; p=$(cat pid 2>/dev/null); "
            "[ -n \"$p\" ] && grep -q '^State:.[RSDT]' /proc/$p/status 2>/dev/null && echo overlap >> log; "
            f"echo $$ > pid; echo {name} begun >> log; sleep {seconds}; "
            f"until {until}; do sleep 0.1; done; echo {name} done >> log"
        )

    def silence(self) -> None:
        """As if the holder had given no sign of life since the machine was started."""
        with closing(connect(self.second.address)) as link:
            link.run(["sh", "-c", SILENCE], timeout_s=30)

    @property
    def logged(self) -> list[str]:
        with closing(connect(self.first.address)) as link:
            return link.run(["cat", f"{self.log}/log"], timeout_s=30).text.splitlines()


def shared(first: Address, second: Address, folder: str, log: str, reboot: Callable[[], None]) -> Shared:
    return Shared(
        Device(name="alias", address=first, workdir=f"{folder}/first"),
        Device(name="address", address=second, workdir=f"{folder}/second"),
        log,
        reboot,
    )


@pytest.fixture(params=["board", "phone"])
def device(request: pytest.FixtureRequest) -> Shared:
    bed: Board | Phone = request.getfixturevalue(request.param)
    return shared(bed.address, bed.address, bed.workdir, bed.workdir, bed.reboot)


@pytest.fixture
def accounts(make_board: Callable[..., Board]) -> Shared:
    """A board on which the first controller is ann, and the second is root."""
    board = make_board(second_account=True)
    found = shared(board.ann, board.address, "work", "/home/shared", board.reboot)
    with closing(connect(board.address)) as link:
        link.run(["sh", "-c", "cd /home/shared; umask 0; touch pid log"], timeout_s=30)
    return found


@pytest.fixture
def controller() -> Iterator[Callable[..., Controller]]:
    with ExitStack() as stack:
        yield lambda *arguments, **options: stack.enter_context(Controller(*arguments, **options))


MakeController = Callable[..., Controller]


def after_the_limit(make: MakeController, device: Shared, purpose: str) -> Controller:
    """A second controller that has taken the device from one that sleeps, tried again while it is in use."""
    until = time.monotonic() + 300
    while True:
        device.silence()  # again: a verb that the first one began may have been answered
        found: Controller = make(device.second, purpose, stale_s=STALE_S)
        said = found.answer()
        if said == "taken":
            return found
        assert said.startswith("DeviceBusy: "), said
        assert time.monotonic() < until, said
        time.sleep(0.3)


def is_told_that_it_is_in_use(said: str, by: str) -> bool:
    return (
        said.startswith("DeviceBusy: ") and " is in use by " in said and f"({by}, since " in said and "\n" not in said
    )


def side_by_side(device: Shared, make: MakeController) -> None:
    first = make(device.first, "run first")
    assert first.answer() == "taken"
    first.begin("a", device.job("a", 1.5))
    assert is_told_that_it_is_in_use(make(device.second, "run second").answer(), "run first")
    assert first.answer() == "exit 0"
    assert is_told_that_it_is_in_use(make(device.second, "run second").answer(), "run first")
    assert first.run("b", device.job("b", 0)) == "exit 0"
    assert device.logged == ["a begun", "a done", "b begun", "b done"]


def test_two_work_folders_and_two_names_of_one_device_exclude_each_other(
    device: Shared, controller: MakeController
) -> None:
    side_by_side(device, controller)


@pytest.mark.parametrize("first", ["ann", "root"])
def test_two_accounts_of_one_device_exclude_each_other(
    accounts: Shared, controller: MakeController, first: str
) -> None:
    """Root may enter what others close, so it is the other way round that shows whether the lock is open to all."""
    swapped = replace(accounts, first=accounts.second, second=accounts.first)
    side_by_side(accounts if first == "ann" else swapped, controller)


def thawed(device: Shared, make: MakeController) -> None:
    """The first sleeps for longer than the limit; the second takes the device and is left alone."""
    first = make(device.first, "run first")
    assert first.answer() == "taken"
    assert first.run("a", device.job("a", 0)) == "exit 0"
    first.freeze()
    second = after_the_limit(make, device, "run second")
    second.begin("b", device.job("b", 2))
    first.thaw()
    assert is_told_that_it_is_in_use(first.run("c", device.job("c", 0)), "run second")
    assert second.answer() == "exit 0"
    assert is_told_that_it_is_in_use(first.run("d", device.job("d", 0)), "run second")
    assert second.run("e", device.job("e", 0)) == "exit 0"
    assert device.logged == ["a begun", "a done", "b begun", "b done", "e begun", "e done"]


def test_a_controller_that_slept_past_the_limit_is_refused(device: Shared, controller: MakeController) -> None:
    thawed(device, controller)


def test_a_controller_of_another_account_that_slept_past_the_limit_is_refused(
    accounts: Shared, controller: MakeController
) -> None:
    thawed(accounts, controller)


def test_the_job_of_a_sleeping_controller_ends_before_the_next_begins(
    device: Shared, controller: MakeController
) -> None:
    first = controller(device.first, "run first")
    assert first.answer() == "taken"
    first.begin("a", device.job("a", 55))
    while device.logged != ["a begun"]:
        time.sleep(0.1)
    first.freeze()
    second = after_the_limit(controller, device, "run second")
    second.begin("b", device.job("b", 1))
    first.thaw()
    assert is_told_that_it_is_in_use(first.answer(), "run second")
    assert second.answer() == "exit 0"
    assert device.logged == ["a begun", "b begun", "b done"]


def test_a_job_that_an_account_cannot_end_is_waited_for(accounts: Shared, controller: MakeController) -> None:
    roots = replace(accounts, first=accounts.second, second=accounts.first)
    first = controller(roots.first, "run first")
    assert first.answer() == "taken"
    first.begin("a", roots.job("a", 0, until="[ -e go ]"))
    while accounts.logged != ["a begun"]:
        time.sleep(0.1)
    first.freeze()
    for _ in range(2):
        roots.silence()
        told = controller(roots.second, "run second", stale_s=STALE_S).answer()
        assert is_told_that_it_is_in_use(told, "run first")
    with closing(connect(accounts.second.address)) as link:
        link.run(["touch", "/home/shared/go"], timeout_s=30)
    second = after_the_limit(controller, roots, "run second")
    assert second.run("b", accounts.job("b", 0)) == "exit 0"
    first.thaw()
    told = first.answer()  # its job ended as its own, and it may have been told before the second came
    assert told == "exit 0" or is_told_that_it_is_in_use(told, "run second")
    assert is_told_that_it_is_in_use(first.run("c", roots.job("c", 0)), "run second")
    assert accounts.logged == ["a begun", "a done", "b begun", "b done"]


def test_a_device_that_was_restarted_and_taken_by_another_is_the_others(
    device: Shared, controller: MakeController
) -> None:
    first = controller(device.first, "run first")
    assert first.answer() == "taken"
    first.begin("a", device.job("a", 55))
    with closing(connect(device.first.address)) as link:
        while link.run(["cat", f"{device.log}/log"], timeout_s=30).text != "a begun\n":
            time.sleep(0.1)
    first.freeze()  # so that it is surely the second that comes first
    device.reboot()
    second = controller(device.second, "run second")
    assert second.answer() == "taken"
    second.begin("b", device.job("b", 2))
    first.thaw()
    assert is_told_that_it_is_in_use(first.answer(), "run second")
    assert is_told_that_it_is_in_use(first.run("c", device.job("c", 0)), "run second")
    assert second.answer() == "exit 0"
    assert device.logged == ["a begun", "b begun", "b done"]


def test_after_a_restart_a_controller_that_came_back_first_holds_the_device(
    device: Shared, controller: MakeController
) -> None:
    first = controller(device.first, "run first")
    assert first.answer() == "taken"
    device.reboot()
    assert first.run("a", device.job("a", 0)).startswith("JobGone: ")  # what it had there may be gone
    first.begin("b", device.job("b", 2))
    for _ in range(3):
        with pytest.raises(DeviceBusy, match="in use by"), open_session(device.second):
            pass
    assert first.answer() == "exit 0"
    assert device.logged == ["b begun", "b done"]


def test_when_the_other_has_given_the_device_back_the_first_may_go_on(
    device: Shared, controller: MakeController
) -> None:
    first = controller(device.first, "run first")
    assert first.answer() == "taken"
    first.freeze()
    with after_the_limit(controller, device, "run second"):
        pass
    first.thaw()
    assert first.run("a", device.job("a", 0)).startswith("JobGone: ")
    assert first.run("a", device.job("a", 0)) == "exit 0"
