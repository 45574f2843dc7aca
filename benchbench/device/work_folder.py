"""The folder of a device in which benchbench works: where it is, made and with the agent in it, and emptied."""

from __future__ import annotations

from benchbench.device.agent import SCRIPT, Agent, unusable
from benchbench.device.lock import Claim
from benchbench.device.store import name_for, sha256_of
from benchbench.transports import Transport, connect
from benchbench.values.device import Adb, Device

# Makes the work folder and says where it is and whether the agent is there; $1 = work folder, $2 = the agent's name.
BOOTSTRAP = (
    'case $1 in /*) w=$1 ;; *) w=$HOME/$1 ;; esac; umask 077; mkdir -p "$w/store" "$w/jobs" && cd "$w" && pwd -P '
    '&& if [ -s "store/$2" ]; then echo have; else echo lacks; fi'
)


def workdir_of(device: Device) -> str:
    """Where benchbench works on a device: its file says, else the usual place; relative = below the user's home."""
    if device.workdir:
        return device.workdir.removeprefix("~/")
    return "/data/local/tmp/benchbench" if isinstance(device.address, Adb) else ".cache/benchbench/device"


def prepare(device: Device, transport: Transport) -> tuple[str, str]:
    """Make the work folder and put agent.sh there; the absolute paths of both."""
    agent_name = name_for(sha256_of(SCRIPT), SCRIPT)
    done = transport.run(["sh", "-c", BOOTSTRAP, "sh", workdir_of(device), agent_name], timeout_s=30)
    lines = done.text.splitlines()
    if done.exit_code != 0 or len(lines) < 2:
        said = (done.error_text or done.text).strip()
        raise unusable(device.name, f"cannot use the folder {workdir_of(device)}: {said}")
    workdir, script = lines[-2], f"{lines[-2]}/store/{agent_name}"
    if lines[-1] != "have":
        transport.push(SCRIPT, script)
    return workdir, script


def clean(device: Device) -> str:
    """Empty a device's work folder, unless another controller holds it; the folder that was removed."""
    transport = connect(device.address)
    try:
        workdir, script = prepare(device, transport)
        hold, _ = Claim.new("benchbench devices --clean").take(transport, script, device.name)
        Agent(transport, script, hold.name, hold.jobs(workdir), device.name).clean(workdir)
        return workdir
    finally:
        transport.close()
