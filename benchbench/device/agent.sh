#!/bin/sh
# benchbench's agent on a device: one POSIX sh file for Android (mksh, toybox) and Linux (dash, bash, busybox).
# It is pushed once and called as `sh agent.sh VERB ARG...`; nothing is ever pasted into it.
#
#   probe                                       what the device is: key=value lines
#   have FILE...                                those of the files that exist and are not empty
#   lock STALE CLAIM [ended NUMBER]             take the device, or say who holds it (see "The lock")
#
# and, of the holder only (HOLD = NUMBER.TOKEN); anybody else is told state=REFUSED and exit code 75:
#
#   conditions HOLD JOBS                        how the device is doing now: key=value lines
#   accept HOLD TEMPORARY FINAL SHA256 SIZE MODE   check a pushed file and give it its name
#   sweep HOLD JOBS                             end the holder's own jobs, remove what earlier holders left
#   start HOLD JOBS NAME LIMIT WAIT (put NAME)... (answer NAME)... (sample NAME SECONDS SOURCE)...
#       (set SETTING VALUE)... [conditions] -- ARG...
#                                               a job, detached; then as poll. What is put is a line of stdin. A SOURCE is
#                                               a file or, behind a $, a command. SETTINGs hold for the time of the job
#   poll HOLD JOBS NAME WAIT                    wait a while for it; its state, and all it left when it is done
#   end HOLD JOBS NAME                          kill it if it runs, and remove its folder
#   clean HOLD FOLDER                           remove everything that is ours in the work folder, release the device
#   unlock HOLD JOBS                            remove the holder's jobs, release the device
#
# JOBS is FOLDER/jobs/BOOT.NUMBER: a hold has its jobs to itself, so a late verb of an earlier holder finds none of a
# later one's. A job is a folder made by mkdir (a second start of the same name starts nothing), a session of its own, a
# time limit kept by the device, output in files, and its exit code written last, in one piece.
export LC_ALL=C
case $0 in /*) self=$0 ;; *) self=$PWD/$0 ;; esac

# What runs around every trial sets variables and starts no process that it can do without: each costs a phone more than
# a millisecond.
up_now() { up=0; read -r up _ 2>/dev/null < /proc/uptime || up=$(date +%s); } # sets $up; time asleep included
boot_id() { # sets $boot; "none" where the system does not say
  boot=""
  read -r boot 2>/dev/null < /proc/sys/kernel/random/boot_id || boot=$(sysctl -n kern.bootsessionuuid 2>/dev/null)
  boot=${boot:-none}
}
line() { case $1 in *\\* | -*) printf '%s\n' "$1" ;; *) echo "$1" ;; esac; } # mksh has no printf of its own
say() { [ -n "$2" ] && line "$1=$2"; }
first_line() { [ -r "$1" ] && tr -d '\000\r' < "$1" 2>/dev/null | head -n 1; }

# /proc/PID/stat: the program's name stands in parentheses and may hold anything, so fields count from the last one.
process() { # PID: sets $state $parent $session $started; fails when there is none
  read -r line 2>/dev/null < "/proc/$1/stat" || return 1
  set -- ${line##*) }
  state=$1 parent=$2 session=$4 started=${20}
}

# A program's children may have made process groups of their own, so it is the session that counts. One scan sees one
# instant: again, unless all that was there start nothing themselves. grep reads what takes a shell four times as long.
kill_session() { # SID [KEPT [HELPERS]]: everything in it but KEPT; HELPERS and their children start nothing
  for again in 1 2 3; do
    victims="" more=""
    for stat in $(grep -l ") [A-Za-z] [0-9-]* [0-9-]* $1 " /proc/[0-9]*/stat 2>/dev/null); do
      victim=${stat#/proc/}
      victim=${victim%/stat}
      process "$victim" && [ "$session" = "$1" ] && [ "$state" != Z ] || continue
      case " $2 " in *" $victim "*) continue ;; esac
      victims="$victims $victim"
      case " $3 " in *" $victim "* | *" $parent "*) ;; *) more=1 ;; esac
    done
    [ -n "$victims" ] && kill -9 $victims 2>/dev/null
    [ -n "$more" ] || return 0
  done
}

look_at_job() { # in its folder: sets $is to DONE, RUNNING, STARTING or LOST, and $leader
  is=DONE
  [ -s rc ] && return
  is=STARTING
  if read -r leader born 2>/dev/null < pid; then
    is=RUNNING
    process "$leader" && [ "$started" = "$born" ] && [ "$state" != Z ] && return
    is=LOST
  fi
  [ ! -e rc ] || is=DONE # where the disk is full it is empty
}

end_job() { # in the job's folder; fails where nothing ran
  look_at_job
  case $is in
    RUNNING) kill_session "$leader" ;;
    LOST)
      # Its leader is gone, and by now its number may be another's: only what runs in this very folder is ours.
      for folder in /proc/[0-9]*/cwd; do
        pid=${folder#/proc/}
        pid=${pid%/cwd}
        [ "$folder" -ef . ] && process "$pid" && [ "$session" = "$leader" ] && kill -9 "$pid" 2>/dev/null
      done
      ;;
    *) return 1 ;;
  esac
  restore_settings
  wake
}

end_others() { # [NAME]: every other job in the current folder, since one at a time has the device; to be waited for
  name=$1
  set --
  for folder in */; do
    folder=${folder%/}
    [ -f "$folder/answers" ] && [ "$folder" != "$name" ] || continue
    [ -s "$folder/rc" ] || (cd "$folder" && end_job && echo "ended $folder")
    set -- "$@" "./$folder"
  done
  if [ $# -gt 0 ]; then rm -rf "$@" & fi
}

# --- The lock -------------------------------------------------------------------------------------------------------
#
# One controller at a time has a *machine*, whichever account, work folder, name or address it comes by. So the lock is
# in a place that every account of the machine shares and may write; see find_lock. What it cannot see are containers
# that share a machine but no such place.
#
# The lock is a log of holds: symbolic links with rising NUMBERs, each with the text "BOOT UPTIME TOKEN DETAILS..." as
# its target. The hold with the highest number counts. It is held unless its token is "free", it is of an earlier boot
# (the same machine = the same boot id: machine ids are cloned with SD cards), or its holder gave no sign of life for
# STALE seconds. Taking a free lock, breaking a stale one and releasing one's own are the same atomic step: making the
# link with the next number. symlink(2) makes it with its text or fails since another was first, so exactly one of many
# wins, in every shell and at any load, and a crash leaves no state in between. (A rename from the old holder's name to
# the new one's is as atomic, but cannot begin from nothing.) Links are kept until they are 64 holds old: a number is not
# used twice by somebody who slept through others' holds.
#
# Signs of life are empty folders NUMBER.beat.UPTIME, jobs NUMBER.job.PID.START: their names say it all. Nothing is ever
# written *through* a name in the lock's folder, where a hostile account could have put a link to a file of ours.
#
# Every verb carries the hold (NUMBER.TOKEN) of its controller. It is refused unless that link is of this boot and the
# next number is not taken. What was checked may change before the deed is done, so a job closes the gap itself: it
# registers, and only then looks whether its hold still counts; who takes the lock makes the link, and only then looks
# for jobs. One of them sees the other: either the job does not begin, or it is ended before the taker is told "taken".
# A job of another account, which cannot be ended, keeps the device in use until its limit ends it.

NEWLINE="
"
TENTH=1000000000 # numbers and times in names have ten digits, so that their order is that of their names

# Decided by what is the same for all accounts: a place that only some could write would be two places. /dev/shm comes
# last since systemd removes an account's files there when it logs out.
PLACES="/data/local/tmp /run/lock /tmp /dev/shm"
find_lock() { # sets $lock; fails where there is no place
  for place in $PLACES; do
    [ -w "$place" ] || continue
    case $place in
      /data/*) [ -e /system/build.prop ] || continue ;; # Android: for the shell and root
      *) case $(ls -ld "$place/.") in d???????w*) ;; *) continue ;; esac ;;
    esac
    lock=$place/benchbench.lock
    return
  done
  return 1
}

# Not sticky, as the places themselves are: any account may clear away what another's hold has left.
lock_is_open() { case $(ls -ld "$lock" 2>/dev/null) in drwxrw[xs]rwx*) ;; *) return 1 ;; esac; }

open_lock() {
  [ -d "$lock" ] || (umask 0 && mkdir "$lock") 2>/dev/null
  lock_is_open || { [ ! -L "$lock" ] && chmod 777 "$lock" 2>/dev/null && lock_is_open; }
}

# What others wrote is looked at before any arithmetic: some shells run what stands in brackets there.
is_number() { case $1 in '' | *[!0-9]*) return 1 ;; esac; }

newest() { # sets $top, the highest number, or nothing
  top=""
  for entry in "$lock"/1?????????; do
    is_number "${entry##*/}" && top=${entry##*/}
  done
}

read_hold() { # NUMBER: sets $of_boot $since $details $token, to nothing where there is none
  record=$(readlink "$lock/$1" 2>/dev/null)
  of_boot=${record%% *}
  details=${record#* }
  since=${details%% *}
  details=${details#* }
  token=${details%% *}
}

last_sign() { # NUMBER: sets $sign, the uptime in seconds of its last beat, or of its beginning
  sign=${since%%.*}
  is_number "$sign" || sign=0
  for entry in "$lock/$1".beat.1?????????; do
    is_number "${entry##*.}" && sign=$((${entry##*.} - TENTH))
  done
}

beat() { # of $number, unless there was one just now
  up_now
  last_sign "$number"
  [ $((${up%%.*} - sign)) -ge 5 ] || return 0
  mkdir "$lock/$number.beat.$((TENTH + ${up%%.*}))" 2>/dev/null
  set -- "$lock/$number".beat.*
  # Cleared away by the dozen, but the last two: a reader's scan may miss one that is just being made.
  [ $# -gt 12 ] || return 0
  old=""
  while [ $# -gt 2 ]; do
    old="$old $1"
    shift
  done
  rmdir $old 2>/dev/null
  : # another verb of this hold may have done so
}

counts() { # HOLD: whether it counts; sets $lock and $number. It is where it was taken
  number=${1%%.*}
  is_number "$number" || return 1
  boot_id
  for place in $PLACES; do
    lock=$place/benchbench.lock
    still_counts || continue
    read_hold "$number"
    [ "$token" = "${1#*.}" ] && [ "$of_boot" = "$boot" ] && return
  done
  return 1
}

still_counts() { [ -L "$lock/$number" ] && [ ! -L "$lock/$((number + 1))" ]; } # what did so when this verb began

refuse() {
  echo state=REFUSED
  echo
  exit 75
}

members() { # PID START: sets $member to a living process of that job's session; fails when there is none
  member=""
  if process "$1"; then
    [ "$started" = "$2" ] || return 1 # its number is another's by now
    [ "$state" != Z ] && member=$1 && return
  fi
  for stat in /proc/[0-9]*/stat; do
    member=${stat#/proc/}
    member=${member%/stat}
    process "$member" && [ "$session" = "$1" ] && [ "$state" != Z ] && return
  done
  return 1
}

owner_of() {
  set -- $(ls -ldn "$1" 2>/dev/null)
  echo "$3"
}

# A process number of an earlier boot is somebody else's now, and so is one that another account has written down.
jobs_before() { # NUMBER: "NUMBER PID START" of the jobs of earlier holds that run; what is none is taken away
  for entry in "$lock"/1?????????.job.*.*; do
    job=${entry##*/}
    start=${job##*.}
    pid=${job%."$start"}
    pid=${pid##*.}
    is_number "${job%%.*}$pid$start" && [ "${job%%.*}" -lt "$1" ] || continue
    read_hold "${job%%.*}"
    if [ "$of_boot" = "$boot" ] && members "$pid" "$start" &&
      [ "$(owner_of "$entry")" = "$(owner_of "/proc/$member")" ]; then
      echo "${job%%.*} $pid $start"
    else
      rmdir "$entry" 2>/dev/null
    fi
  done
}

# An account cannot end another's job, but for root.
may_end_jobs_before() { # NUMBER: fails with $top $since $details of the hold whose job is another account's
  set -- $(jobs_before "$1")
  while [ $# -gt 0 ]; do
    if members "$2" "$3" && ! kill -0 "$member" 2>/dev/null; then
      top=$1
      read_hold "$top"
      return 1
    fi
    shift 3
  done
}

end_jobs_before() { # NUMBER: what ran is named; fails when one could not be ended
  jobs_before "$1" | while read -r _ leader start_of_leader; do
    folder=$(readlink "/proc/$leader/cwd" 2>/dev/null)
    kill_session "$leader"
    (cd "$folder" 2>/dev/null && restore_settings && wake)
    for wait in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do # the kernel may take a while to end them
      members "$leader" "$start_of_leader" || break
      sleep 0.1 2>/dev/null || sleep 1 # some sleeps take whole seconds only
    done
    say ended "${folder##*/}"
  done
  [ -z "$(jobs_before "$1")" ]
}

forget_before() { # NUMBER
  for entry in "$lock"/1?????????*; do
    name=${entry##*/}
    is_number "${name%%.*}" || continue
    case $name in
      *.beat.*) [ "${name%%.*}" -lt "$1" ] && rmdir "$entry" ;;
      *.*) ;; # a job that registers just now finds that its hold no longer counts, and takes this away itself
      *) [ "$name" -lt $(($1 - 64)) ] && rm -f "$entry" ;;
    esac
  done 2>/dev/null
}

why_stale() { # STALE [ended NUMBER]: sets $why for the hold $top; fails when that is held
  why=""
  [ -z "$top" ] || [ "$token" = free ] && return
  [ "$of_boot" = "$boot" ] || { why=restarted; return; }
  [ "$2" = ended ] && [ "$3" = "$top" ] && { why=ended; return; }
  last_sign "$top"
  [ $((${up%%.*} - sign)) -gt "$1" ] && why=silent
  [ -n "$why" ]
}

held() {
  echo state=held
  say number "$top"
  say since "$since"
  say now "$up"
  say holder "$details"
  exit 0
}

take() { # STALE CLAIM [ended NUMBER]: CLAIM = TOKEN DETAILS...
  stale=$1 claim=$2
  shift 2
  lock=""
  find_lock && open_lock || { echo state=impossible; say place "$lock"; exit 0; }
  boot_id
  while :; do
    up_now
    newest
    read_hold "$top"
    number=$top
    [ "$of_boot" = "$boot" ] && [ "$token" = "${claim%% *}" ] && break
    why_stale "$stale" "$@" || held
    number=$((${top:-$TENTH} + 1))
    may_end_jobs_before "$number" || held
    text="$boot $up $claim"
    ln -s "$text" "$lock/$number" 2>/dev/null
    made=$(readlink "$lock/$number" 2>/dev/null)
    [ -n "$made" ] || { echo state=impossible; say place "$lock"; exit 0; }
    [ "$made" = "$text" ] || continue
    previous=$details
    newest
    [ "$top" = "$number" ] || { rm -f "$lock/$number"; continue; } # who slept through 64 holds
    if ! end_jobs_before "$number"; then
      ln -s "$boot $up free" "$lock/$((number + 1))"
      held
    fi
    forget_before "$number"
    [ -n "$why" ] && { say why "$why"; say holder "$previous"; }
    break
  done
  beat
  echo state=taken
  say number "$number"
  say boot "$boot"
}

release() { # of $number
  boot_id
  up_now
  ln -s "$boot $up free" "$lock/$((number + 1))" 2>/dev/null
  :
}

# --- Jobs -----------------------------------------------------------------------------------------------------------

watch() { # LIMIT: end everything in this session but its leader after so many seconds
  read -r watchdog _ < /proc/self/stat
  sleep "$1"
  kill_session $$ "$$ $watchdog"
}

sampled() { # N: a line of the series for each of stdin
  while read -r text || [ -n "$text" ]; do line "$up $1 $text"; done
}

sample() { # NAME: write lines of UPTIME, number and a line of each source in sampler.NAME, until it is killed
  series=series.$1
  { read -r interval; set --; while read -r source; do set -- "$@" "$source"; done; } < "sampler.$1"
  while :; do
    up_now
    n=0
    for source; do
      n=$((n + 1))
      case $source in
        \$*) eval "${source#?}" 2>/dev/null < /dev/null | sampled "$n" ;; # may be a function of this file
        *) sampled "$n" 2>/dev/null < "$source" ;;
      esac
    done
    sleep "$interval" 2>/dev/null || sleep 1 # some sleeps take whole seconds only
  done > "$series"
}

# A SETTING is a file of the kernel, or NAMESPACE/KEY of Android's settings, which outlive a restart. What it was is
# written down before it is changed, in the job's folder: the job puts it back when its tool has ended, and where the job
# was killed, whoever ends it or sweeps up after it.
get_setting() { # SETTING: sets $seen; to nothing where it cannot be read
  case $1 in
    /*) look "$1" ;;
    *) seen=$(settings get "${1%%/*}" "${1#*/}" 2>/dev/null) ;;
  esac
}

put_setting() { # SETTING VALUE
  case $1 in
    /*) line "$2" > "$1" ;;
    *) if [ "$2" = null ]; then settings delete "${1%%/*}" "${1#*/}"; else settings put "${1%%/*}" "${1#*/}" "$2"; fi ;;
  esac > /dev/null 2>&1
}

apply_settings() { # those asked for of the job in this folder; what is read back goes to settings.got
  while read -r setting value; do
    get_setting "$setting"
    if [ -n "$seen" ] && line "$setting $seen" >> restore; then
      { put_setting "$setting" "$value"; } 2>/dev/null
      get_setting "$setting"
    fi
    line "$setting=$seen"
  done < settings > settings.got
}

restore_settings() { # [outlasting]: of the job in this folder; those alone that outlive a restart
  [ -f restore ] || return 0
  while read -r setting value; do
    case $1$setting in outlasting/*) ;; *) { put_setting "$setting" "$value"; } 2>/dev/null ;; esac
  done < restore
  rm -f restore
}

# A verb that waits for a job sleeps once, and is woken by what ends the job. Who sleeps leaves the sleep's PID and START
# first and then looks whether the job has ended; who ends it does so first and then looks for sleeps.
nap() { # SECONDS: unless the job in this folder is over
  [ "$1" -gt 0 ] || return 0
  sleep "$1" > /dev/null 2>&1 &
  process $! && echo > "asleep.$!.$started"
  look_at_job
  case $is in
    RUNNING | STARTING) [ -f answers ] && { wait $! 2>/dev/null; return; } ;; # no answers: it was swept away
  esac
  kill -9 $! 2>/dev/null
}

wake() { # who waits for the job in this folder
  for asleep in asleep.*; do
    asleep=${asleep#asleep.}
    process "${asleep%.*}" && [ "$started" = "${asleep#*.}" ] && kill -9 "${asleep%.*}" 2>/dev/null
  done
}

# Not timeout(1): toybox's loses the exit code of what ends at once and kills no grandchildren.
job() { # LOCK NUMBER LIMIT ARG...: runs as the leader of a session, in the job's folder, for a hold that counted
  lock=$1 number=$2 limit=$3
  shift 3
  process $$
  born=$started
  registered=$lock/$number.job.$$.$born
  mkdir "$registered" 2> err || { echo 126 > rc; wake; exit; }
  still_counts || { rmdir "$registered"; wake; exit; }
  echo "$$ $born" > pid # one write: whoever finds the file finds all of it, or nothing
  [ ! -f settings ] || apply_settings
  up_now
  began=$up
  (ulimit -f "$LARGEST_BLOCKS" 2>/dev/null; exec "$@") > out 2> err < /dev/null &
  tool=$!
  watch "$limit" &
  helpers=$!
  for asked in sampler.*; do
    [ -f "$asked" ] || continue
    sample "${asked#sampler.}" &
    helpers="$helpers $!"
  done
  wait "$tool"
  code=$?
  up_now
  { echo > tool.ended; } 2>/dev/null
  wake # the device may be read already, while what the tool has left is being ended
  rmdir "$registered" &
  kill_session $$ "$$ $!" "$helpers" # also what it left behind: it would heat and slow the next one
  restore_settings
  wait $!
  echo "$code $began $up" > rc
  wake
}

# What a tool said (its streams, its *.log) is read back whole up to SAID bytes, else its beginning and its end. No file
# it writes grows beyond LARGEST_BLOCKS of 512 bytes: one that babbles for ever must not fill the disk.
SAID=1000000
LARGEST_BLOCKS=2097152
left_out() { printf '\n[%s bytes of output left out by benchbench]\n' "$(($1 - SAID))"; } # SIZE
said_size() { # FILE
  whole=$(size_of "$1")
  [ "$whole" -le "$SAID" ] && { echo "$whole"; return; }
  note=$(left_out "$whole"; echo .)
  echo $((SAID + ${#note} - 1))
}
said() { # FILE
  whole=$(size_of "$1")
  [ "$whole" -le "$SAID" ] && { cat "$1"; return; }
  head -c $((SAID / 2)) "$1"
  left_out "$whole"
  tail -c $((SAID / 2)) "$1"
}

size_of() { wc -c < "$1" 2>/dev/null | tr -d ' '; }

put() { # NAME: a line of stdin; else fails, with $why
  why="it was cut short"
  IFS= read -r text || return 1
  { line "$text" > "$1"; } 2>/dev/null && return
  why=$(line "$text" | dd of="$1" 2>&1) # not every shell says why
  return 1
}

read_after() { # where it was read before the job in this folder, too
  [ ! -f conditions.before ] || [ -f conditions.after ] || reading .. > conditions.after
}

until_over() { # SECONDS at most
  nap "$1"
  look_at_job
  [ $is = RUNNING ] && [ -f tool.ended ] || return 0
  read_after
  look_at_job
  [ $is = DONE ] || { nap 5; look_at_job; }
}

# A start that a lost link cut off has made no process by now: there is nothing that could still come.
await() { # SECONDS, for a job that somebody else has started
  look_at_job
  if [ $is = STARTING ] && [ "$1" -ge 5 ]; then
    nap 5
    look_at_job
    [ $is = STARTING ] && is=ABSENT && return
  fi
  until_over "$1"
}

answer() { # of the job in this folder: the state $is and, when it is over, all it left
  [ -f answers ] || [ $is != STARTING ] || is=ABSENT # swept away
  still_counts || refuse # what came of a job that a later holder ended is not its result
  beat
  echo "state=$is"
  began="" ended=""
  { [ $is = DONE ] && read -r code began ended < rc; } 2>/dev/null || { echo; return; }
  echo "rc=$code"
  say t0 "$began"
  say t1 "$ended"
  read_after
  up_now
  echo "now=$up"
  set -- conditions.before conditions.after out err
  while read -r name; do set -- "$@" "$name"; done < answers
  for name in "$@"; do
    shift
    [ -f "$name" ] && set -- "$@" "$name"
  done
  cut=""
  IFS="$NEWLINE"
  for line in $(wc -c "$@" /dev/null); do # the last two lines are that and the total
    line=${line#"${line%%[! ]*}"}
    name=${line#* } size=${line%% *}
    [ "$name" = /dev/null ] && break
    case $name in out | err | *.log) [ "$size" -le "$SAID" ] || { cut=1; size=$(said_size "$name"); } ;; esac
    echo "size.$name=$size"
  done
  unset IFS
  echo
  [ -z "$cut" ] && { cat "$@"; return; }
  for name in "$@"; do
    case $name in out | err | *.log) said "$name" ;; *) cat "$name" ;; esac
  done
}

# Without a process of its own for each file: a phone has a hundred thermal zones, and this runs around every trial.
look() { seen=""; read -r seen 2>/dev/null < "$1"; }

# Between two jobs that follow at once the device is read once: what was read after the one is what it was before the
# other. JOBS/reading holds when this hold last read it, which its holder was told, and a job takes that away.
reading() { # JOBS
  conditions
  echo "$read_at" > "$1/reading"
}

reading_before() { # JOBS: whole, or only when, where the holder knows the rest
  up_now
  look "$1/reading"
  if is_number "${seen%%.*}" && [ $((${up%%.*} - ${seen%%.*})) -le 1 ]; then
    echo "uptime=$seen" > conditions.before
    echo > "$1/reading"
  else conditions > conditions.before
  fi
}

# Android's HAL tells temperatures also where the kernel's zones are root's: TYPE, NAME and degrees of each of today's
# readings, not of the "Cached temperatures" before them. https://developer.android.com/reference/android/os/Temperature
thermal_service() {
  current=""
  while read -r line; do
    case $line in
      "Thermal Status: "*) say thermal_status "${line#Thermal Status: }" ;;
      "Current temperatures from HAL:"*) current=1 ;;
      Temperature*mValue=*mType=*mName=*)
        value=${line#*mValue=} kind=${line#*mType=} name=${line#*mName=}
        [ -n "$current" ] && echo "hal.${kind%%[,\}]*}.${name%%[,\}]*}=${value%%[,\}]*}"
        ;;
      *) [ -n "$current" ] && break ;;
    esac
  done
}

has() { command -v "$1" > /dev/null 2>&1; }

throttling() { # what Android's thermal service says, or a Pi's firmware: both take their time
  has dumpsys && dumpsys thermalservice 2>/dev/null | thermal_service
  has vcgencmd && say get_throttled "$(vcgencmd get_throttled 2>/dev/null)"
}

conditions() { # the first line is when, which is $read_at too
  up_now
  read_at=$up
  echo "uptime=$read_at"
  slow=""
  if has dumpsys || has vcgencmd; then
    throttling & # beside all the rest; a line is written in one piece
    slow=$!
  fi
  for zone in /sys/class/thermal/thermal_zone*; do
    look "$zone/type"
    kind=$seen
    look "$zone/temp"
    [ -n "$seen" ] && echo "thermal.$kind#${zone##*zone}=$seen"
  done
  for policy in /sys/devices/system/cpu/cpufreq/policy*; do
    look "$policy/scaling_cur_freq"
    [ -n "$seen" ] && echo "clock.${policy##*/}=$seen"
    look "$policy/cpuinfo_max_freq"
    [ -n "$seen" ] && echo "max_clock.${policy##*/}=$seen"
    look "$policy/scaling_max_freq"
    [ -n "$seen" ] && echo "cap.${policy##*/}=$seen"
    look "$policy/scaling_governor"
    [ -n "$seen" ] && echo "governor.${policy##*/}=$seen"
  done
  read -r load _ < /proc/loadavg 2>/dev/null && say load "$load"
  while read -r key value _; do
    [ "$key" = MemAvailable: ] && say memory_available_kb "$value" && break
  done < /proc/meminfo
  if has dumpsys; then
    dumpsys battery 2>/dev/null | while read -r key value _; do
      case $key in
        level:) say battery "$value" ;;
        AC | USB | Wireless) ;;
        status:) say battery_status "$value" ;;
      esac
    done
  else
    for supply in /sys/class/power_supply/*; do
      look "$supply/type"
      [ "$seen" = Battery ] || continue
      look "$supply/capacity"
      say battery "$seen"
      look "$supply/status"
      say battery_status "$seen"
      break
    done
  fi
  [ -z "$slow" ] || wait "$slow"
}

probe() {
  say kernel "$(uname -s)"
  say machine "$(uname -m)"
  say home "$HOME"
  boot_id
  say boot_id "$boot"
  if command -v getprop > /dev/null 2>&1 && [ -n "$(getprop ro.build.version.sdk)" ]; then
    say sdk "$(getprop ro.build.version.sdk)"
    say android "$(getprop ro.build.version.release)"
    say abi "$(getprop ro.product.cpu.abi)"
    say model "$(getprop ro.product.manufacturer) $(getprop ro.product.model)"
    soc=$(getprop ro.soc.model)
    say soc "${soc:-$(getprop ro.board.platform)}"
    for library in /vendor/lib64/libOpenCL.so /system/vendor/lib64/libOpenCL.so /vendor/lib/libOpenCL.so; do
      [ -e "$library" ] && say opencl "$library" && break
    done
  else
    say os_release "$(. /etc/os-release 2>/dev/null; echo "$PRETTY_NAME")"
    for model in /sys/firmware/devicetree/base/model /proc/device-tree/model /sys/class/dmi/id/product_name; do
      [ -r "$model" ] && say model "$(first_line "$model")" && break
    done
  fi
  grep -m 1 -E '^(model name|Hardware)' /proc/cpuinfo 2>/dev/null | while IFS=: read -r _ name; do say cpu "${name# }"; done
  while read -r key value _; do
    [ "$key" = MemTotal: ] && say memory_kb "$value" && break
  done < /proc/meminfo
  say online "$(first_line /sys/devices/system/cpu/online)"
  for cpu in /sys/devices/system/cpu/cpu[0-9]*; do
    say "max_khz.${cpu##*/cpu}" "$(first_line "$cpu/cpufreq/cpuinfo_max_freq")"
  done
  environment=${self%/store/*}/python/bin/python3 # what devices --equip made
  [ -x "$environment" ] && say environment "$environment"
  say python "$(command -v python3)"
  for tool in setsid taskset sha256sum; do
    command -v "$tool" > /dev/null 2>&1 || say missing "$tool"
  done
}

in_job() { cd "$1/$2" 2>/dev/null || { echo state=ABSENT; echo; exit 0; }; }

held_by() { counts "$1" && beat || refuse; } # HOLD: go on if it counts

sweep() { # JOBS
  mkdir -p "$1" && cd "${1%/*}" || exit 1
  for folder in */; do
    folder=${folder%/}
    case $folder in
      "$boot."*) [ "${folder##*.}" -le "$number" ] || continue ;; # of somebody who has taken the device since
      # An earlier boot's, or another machine's that shares this home: nobody's, when nothing changed for a day.
      *)
        for kept in "$folder"/*/restore; do # Android's folders are no other machine's
          [ -e /system/build.prop ] && [ -f "$kept" ] && (cd "${kept%/*}" && restore_settings outlasting)
        done
        [ -n "$(find "./$folder" -prune -mtime +0 2>/dev/null)" ] || continue
        ;;
    esac
    (cd "$folder" && end_others; wait)
    rm -rf "./$folder"
  done
}

verb=$1
shift
case $verb in
  conditions | accept | sweep | start | poll | end | clean | unlock)
    hold=$1
    held_by "$hold"
    shift
    ;;
esac
case $verb in
  probe) probe ;;
  conditions) reading "$1" ;;
  have) for file; do [ -s "$file" ] && echo "$file"; done; : ;;
  accept)
    [ "$(size_of "$1")" = "$4" ] || { echo "size $(size_of "$1"), not $4"; rm -f "$1"; exit 1; }
    if command -v sha256sum > /dev/null 2>&1; then
      sum=$(sha256sum < "$1")
      [ "${sum%% *}" = "$3" ] || { echo "sha256 ${sum%% *}, not $3"; rm -f "$1"; exit 1; }
    fi
    chmod "$5" "$1" && mv -f "$1" "$2"
    ;;
  lock) take "$@" ;;
  unlock)
    (sweep "$1") # whose failure, as on a disk that takes no more writes, must not keep the device in use
    release
    ;;
  sweep)
    sweep "$1"
    mkdir -p "$1"
    ;;
  start)
    jobs=$1 name=$2 limit=$3 wait=$4
    shift 4
    cd "$jobs" 2>/dev/null && end_others "$name" > /dev/null
    if mkdir "$jobs/$name" 2>/dev/null; then
      cd "$jobs/$name" || exit 1
      : > answers
      while [ "$1" != -- ]; do
        case $1 in
          put) put "$2" || { echo "cannot write $2: $why" >&2; rm -rf "$jobs/$name"; exit 1; }; shift 2 ;;
          answer) echo "$2" >> answers; shift 2 ;;
          conditions) reading_before ..; shift ;;
          set)
            [ -f settings ] || echo settings.got >> answers
            line "$2 $3" >> settings
            shift 3
            ;;
          sample)
            [ -f "sampler.$2" ] || { echo "$3" > "sampler.$2"; echo "series.$2" >> answers; }
            echo "$4" >> "sampler.$2"
            shift 4
            ;;
        esac
      done
      shift
      wait
      # In a session of its own, so that neither a hang-up of the link nor our own end reaches it.
      own=""
      command -v setsid > /dev/null 2>&1 && own=setsid
      $own sh "$self" job "$lock" "$number" "$limit" "$@" > /dev/null 2>&1 < /dev/null &
      until_over "$wait"
    else
      [ -d "$jobs/$name" ] || { echo "cannot make $jobs/$name" >&2; exit 1; }
      in_job "$jobs" "$name"
      await "$wait"
    fi
    answer
    ;;
  job) job "$@" ;;
  poll)
    in_job "$1" "$2"
    await "$3"
    answer
    ;;
  end)
    cd "$1/$2" 2>/dev/null || exit 0
    end_job
    cd "$1" && rm -rf "./$2"
    ;;
  clean)
    (sweep "$1/jobs/$boot.$number")
    cd "$1" && rm -rf store python python.new && rmdir jobs 2>/dev/null && cd / && rmdir "$1" 2>/dev/null
    release
    [ ! -e "$1/store" ]
    ;;
  *) echo "agent.sh: no verb '$verb'" >&2; exit 2 ;;
esac
