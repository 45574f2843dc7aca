"""The time limit that a command runs under on the device: its own session, and an end to it in time.

A cut link does not end what runs on a device, and a program left running there would heat and slow the next
measurement. So the limit is kept by the device: a second session sleeps, then kills every process of the first. The
text is plain POSIX shell and runs in dash, bash, busybox and Android's mksh with toybox. It needs no `timeout`, which
differs: GNU's makes a process group of its own, toybox's kills the child but not the grandchildren.
"""

from __future__ import annotations

from collections.abc import Sequence

GRACE_S = 3.0  # how long after its limit a living device may take to report that it has killed the program
KILLED = 137

# $1 = seconds, $2 = whole seconds for a sleep that knows no fractions, $3 = the program, which is its session too. The
# program dies last, for its end is reported at once and ends this as well; until then it is stopped, so that it starts
# nothing new. A scan of /proc sees one instant and is repeated. Without setsid only the program itself is hit.
_KILL_AFTER = """\
sleep "$1" || sleep "$2"; p=$3
kill -STOP "-$p"
for pass in 1 2 3; do for f in /proc/[0-9]*/stat; do
read -r line < "$f" || continue; set -- ${line##*') '}
f=${f%/stat}; f=${f#/proc/}
if [ "$4" = "$p" ] && [ "$f" != "$p" ]; then kill -9 "$f"; fi
done; done; kill -9 "-$p" || kill -9 "$p"
"""

# The descriptors are kept aside because a background command's stdin is /dev/null, and because the shell's own words
# ("Segmentation fault") must not mix with the program's stderr. adbd sends HUP when the host goes away, also while this
# is only starting; sshd nothing.
_TIME_LIMIT = """\
kill_after=$1 seconds=$2 whole=$3; shift 3
exec 3<&0 4>&2 2>/dev/null
p= w=
trap '[ -z "${p:=$!}" ] || sh -c "$kill_after" limit 0 0 $p; [ -z "$w" ] || kill -9 -$w || kill -9 $w; exit 129' HUP
own=; command -v setsid >/dev/null && own=setsid
$own "$@" <&3 2>&4 3<&- 4>&- & p=$!
$own sh -c "$kill_after" limit "$seconds" "$whole" $p <&- >&- 3<&- 4>&- & w=$!
wait $p; r=$?
kill -9 -$w || kill -9 $w
exit $r
"""


def time_limited(argv: Sequence[str], timeout_s: float) -> list[str]:
    """The command that runs `argv`, each argument exactly as it is, for at most `timeout_s` on the device.

    Its exit code is the program's, 128 + n for signal n, 126 or 127 where it could not be started.
    """
    whole = str(int(-(-timeout_s // 1)))
    return ["sh", "-c", _TIME_LIMIT, "benchbench", _KILL_AFTER, f"{timeout_s:.3f}", whole, *argv]
