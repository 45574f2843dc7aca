#!/bin/sh
# benchbench's hand on a device: one POSIX sh file for Android (mksh, toybox) and Linux (dash, bash, busybox).
# It is pushed once and called as `sh hand.sh VERB ARG...`; nothing is ever pasted into it.
#
#   probe                                       what the device is: key=value lines
#   conditions [JOBS]                           how it is doing now: key=value lines; with JOBS, a beat of the lock
#   have FILE...                                those of the files that exist and are not empty
#   accept TEMPORARY FINAL SHA256 SIZE MODE     check a pushed file and give it its name
#   lock FOLDER OWNER [break HOLDER]            take the device, or say who holds it; break: if it is still HOLDER's
#   unlock FOLDER OWNER
#   sweep JOBS                                  end what earlier controllers left running, forget their jobs
#   start JOBS NAME LIMIT WAIT (put NAME FILE)... (answer NAME)... -- ARG...    a job, detached; then as poll
#   poll JOBS NAME WAIT                         wait a while for it; its state, and all it left when it is done
#   end JOBS NAME                               kill it if it runs, and remove its folder
#   clean FOLDER                                remove everything that is ours in the work folder
#
# A job is a folder made by mkdir (that is its lock: a second start of the same name starts nothing), a session of
# its own, a time limit kept by the device, output in files, and its exit code written last, by rename.
export LC_ALL=C
case $0 in /*) self=$0 ;; *) self=$PWD/$0 ;; esac

uptime_s() { read -r up _ 2>/dev/null < /proc/uptime && echo "$up"; }
up_to() { up=0 && read -r up _ 2>/dev/null < /proc/uptime; [ "${up%%.*}" -lt "$1" ]; } # SECONDS of uptime; no fork
boot_id() { cat /proc/sys/kernel/random/boot_id 2>/dev/null; }
say() { [ -n "$2" ] && printf '%s=%s\n' "$1" "$2"; }
first_line() { [ -r "$1" ] && tr -d '\000\r' < "$1" 2>/dev/null | head -n 1; }

# /proc/PID/stat: the program's name stands in parentheses and may hold anything, so fields count from the last one.
stat_field() { # PID FIELD (3 = state, 6 = session, 22 = start time)
  read -r line 2>/dev/null < "/proc/$1/stat" || return 1
  line=${line##*) }
  n=$(($2 - 2))
  set -- $line
  shift $((n - 1))
  echo "$1"
}

# A program's children may have made process groups of their own, so it is the session that counts. One scan sees one
# instant: again.
kill_session() { # SID [KEPT KEPT]: everything in it but the processes that are named
  for again in 1 2 3; do
    found=""
    for stat in /proc/[0-9]*/stat; do
      read -r line 2>/dev/null < "$stat" || continue
      pid=${line%% *}
      set -- "$1" "$2" "$3" ${line##*) }
      [ "$7" = "$1" ] && [ "$4" != Z ] && [ "$pid" != "$2" ] && [ "$pid" != "$3" ] || continue
      kill -9 "$pid" 2>/dev/null && found=1
    done
    [ -z "$found" ] && return
  done
}

end_job() { # in the job's folder; fails where nothing ran
  case $(state_of) in
    RUNNING) kill_session "$(cat pid)" ;;
    LOST)
      # Its leader is gone, and by now its number may be another's: only what runs in this very folder is ours.
      for folder in /proc/[0-9]*/cwd; do
        pid=${folder#/proc/}
        pid=${pid%/cwd}
        [ "$folder" -ef . ] && [ "$(stat_field "$pid" 6)" = "$(cat pid)" ] && kill -9 "$pid" 2>/dev/null
      done
      ;;
    *) return 1 ;;
  esac
}

end_others() { # [NAME]: every other job in the current folder, since one at a time has the device
  for folder in */; do
    folder=${folder%/}
    [ -f "$folder/answers" ] && [ "$folder" != "$1" ] || continue
    (cd "$folder" && end_job && echo "ended $folder")
    rm -rf "./$folder"
  done
}

state_of() { # of the job in the current folder: DONE, RUNNING, STARTING, REBOOTED or LOST
  if [ -f rc ]; then echo DONE
  elif [ ! -f pid ]; then echo STARTING
  elif [ "$(cat boot 2>/dev/null)" != "$(boot_id)" ]; then echo REBOOTED
  else
    pid=$(cat pid)
    started=$(stat_field "$pid" 22)
    if [ -n "$started" ] && [ "$started" = "$(cat start)" ] && [ "$(stat_field "$pid" 3)" != Z ]; then echo RUNNING
    elif [ -f rc ]; then echo DONE
    else echo LOST
    fi
  fi
}

pause() { sleep "$1" 2>/dev/null || sleep 1; } # some sleeps take whole seconds only

watch() { # LIMIT: end everything in this session but its leader after so many seconds
  read -r watchdog _ < /proc/self/stat
  sleep "$1"
  kill_session $$ $$ "$watchdog"
}

# Not timeout(1): toybox's loses the exit code of what ends at once and kills no grandchildren.
job() { # LIMIT ARG...: runs as the leader of a session, in the job's folder
  limit=$1
  shift
  stat_field $$ 22 > start
  boot_id > boot
  echo $$ > pid.tmp
  mv pid.tmp pid # by rename, since who reads it half written takes the job for lost
  uptime_s > t0
  "$@" > out 2> err < /dev/null &
  child=$!
  watch "$limit" &
  wait "$child"
  echo $? > rc.tmp
  uptime_s > t1
  kill_session $$ $$ # also what it left behind: it would heat and slow the next one
  mv rc.tmp rc
}

size_of() { wc -c < "$1" 2>/dev/null | tr -d ' '; }

# Waiting must not disturb the measurement: one sleep a turn, and a close look once in twenty.
report() { # WAIT: wait for the job in this folder, then its state and, when it is over, all it left
  turn=0
  up_to 0
  end=$((${up%%.*} + $1))
  while [ ! -f rc ] && [ -f answers ] && up_to "$end"; do # without answers the job was swept away under us
    if [ $((turn % 20)) = 19 ]; then
      case $(state_of) in RUNNING | STARTING) ;; *) break ;; esac
    fi
    [ ! -f pid ] && [ "$turn" -ge 100 ] && break
    pause 0.05
    turn=$((turn + 1))
  done
  state=$(state_of)
  # A start that a lost link cut off, or a job that was swept away: there is nothing that could still come.
  [ "$state" = STARTING ] && { [ "$turn" -ge 100 ] || [ ! -f answers ]; } && state=ABSENT
  say state "$state"
  case $state in RUNNING | STARTING | ABSENT) echo; return ;; esac
  say rc "$(cat rc 2>/dev/null)"
  say t0 "$(cat t0 2>/dev/null)"
  say t1 "$(cat t1 2>/dev/null)"
  conditions | sed 's/^/after./'
  set -- out err
  [ -f answers ] && while read -r name; do [ -f "$name" ] && set -- "$@" "$name"; done < answers
  for name in "$@"; do [ -f "$name" ] && printf 'size.%s=%s\n' "$name" "$(size_of "$name")"; done
  echo
  for name in "$@"; do [ -f "$name" ] && cat "$name"; done
}

# Without a process of its own for each file: a phone has a hundred thermal zones, and this runs around every trial.
look() { seen=""; read -r seen 2>/dev/null < "$1"; }

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

conditions() {
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
    look "$policy/scaling_governor"
    [ -n "$seen" ] && echo "governor.${policy##*/}=$seen"
  done
  read -r load _ < /proc/loadavg 2>/dev/null && say load "$load"
  while read -r key value _; do
    [ "$key" = MemAvailable: ] && say memory_available_kb "$value" && break
  done < /proc/meminfo
  if command -v dumpsys > /dev/null 2>&1; then
    dumpsys battery 2>/dev/null | while read -r key value _; do
      case $key in
        level:) say battery "$value" ;;
        AC | USB | Wireless) ;;
        status:) say battery_status "$value" ;;
      esac
    done
    dumpsys thermalservice 2>/dev/null | thermal_service
  else
    for supply in /sys/class/power_supply/*; do
      [ "$(first_line "$supply/type")" = Battery ] || continue
      say battery "$(first_line "$supply/capacity")"
      say battery_status "$(first_line "$supply/status")"
      break
    done
  fi
  command -v vcgencmd > /dev/null 2>&1 && say get_throttled "$(vcgencmd get_throttled 2>/dev/null)"
}

probe() {
  say kernel "$(uname -s)"
  say machine "$(uname -m)"
  say home "$HOME"
  say boot_id "$(boot_id)"
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
  say python "$(command -v python3)"
  for tool in setsid taskset sha256sum; do
    command -v "$tool" > /dev/null 2>&1 || say missing "$tool"
  done
}

beat() { [ -f "$1/../lock/owner" ] && uptime_s > "$1/../lock/beat"; } # JOBS: the lock's holder is alive

in_job() { cd "$1/$2" 2>/dev/null || { echo state=ABSENT; echo; exit 0; }; }

verb=$1
shift
case $verb in
  probe) probe ;;
  conditions) [ -n "$1" ] && beat "$1"; conditions; : ;;
  have) for file; do [ -s "$file" ] && echo "$file"; done; : ;;
  accept)
    [ "$(size_of "$1")" = "$4" ] || { echo "size $(size_of "$1"), not $4"; rm -f "$1"; exit 1; }
    if command -v sha256sum > /dev/null 2>&1; then
      sum=$(sha256sum < "$1")
      [ "${sum%% *}" = "$3" ] || { echo "sha256 ${sum%% *}, not $3"; rm -f "$1"; exit 1; }
    fi
    chmod "$5" "$1" && mv -f "$1" "$2"
    ;;
  lock)
    # Of several that found it stale, the first breaks it, and the others find that it is another's by now.
    if [ "$3" = break ] && [ "$(cat "$1/owner" 2>/dev/null)" = "$4" ]; then rm -rf "$1"; fi
    if mkdir "$1" 2>/dev/null; then
      printf '%s\n' "$2" > "$1/owner"
      boot_id > "$1/boot"
      uptime_s > "$1/beat"
      if [ "$3" = break ]; then pause 0.5; fi
      [ -s "$1/owner" ] || rm -rf "$1" # a full disk
    fi
    [ -d "$1" ] && [ ! -f "$1/beat" ] && pause 1 # its holder may just be writing
    if [ ! -d "$1" ]; then
      echo state=impossible
    elif [ "$(cat "$1/owner" 2>/dev/null)" = "$2" ]; then
      uptime_s > "$1/beat"
      echo state=taken
    else
      echo state=held
      say owner "$(cat "$1/owner" 2>/dev/null)"
      [ "$(cat "$1/boot" 2>/dev/null)" = "$(boot_id)" ] && say same_boot yes
      say beat "$(cat "$1/beat" 2>/dev/null)"
      say now "$(uptime_s)"
    fi
    ;;
  unlock) [ "$(cat "$1/owner" 2>/dev/null)" = "$2" ] && rm -rf "$1"; : ;;
  sweep)
    mkdir -p "$1" && cd "$1" || exit 1
    end_others
    rm -rf ./*/ ../store/.[a-z0-9]* # what was lent, and transfers that broke off
    ;;
  start)
    jobs=$1 name=$2 limit=$3 wait=$4
    shift 4
    beat "$jobs"
    (cd "$jobs" && end_others "$name") > /dev/null
    if mkdir "$jobs/$name" 2>/dev/null; then
      cd "$jobs/$name" || exit 1
      : > answers
      while [ "$1" != -- ]; do
        case $1 in
          put) cp "$3" "$2" || { rm -rf "$jobs/$name"; exit 1; }; shift 3 ;;
          answer) echo "$2" >> answers; shift 2 ;;
        esac
      done
      shift
      conditions > before
      # In a session of its own, so that neither a hang-up of the link nor our own end reaches it.
      if command -v setsid > /dev/null 2>&1; then setsid sh "$self" job "$limit" "$@" > /dev/null 2>&1 < /dev/null &
      else sh "$self" job "$limit" "$@" > /dev/null 2>&1 < /dev/null &
      fi
    else
      [ -d "$jobs/$name" ] || { echo "cannot make $jobs/$name" >&2; exit 1; }
    fi
    in_job "$jobs" "$name"
    sed 's/^/before./' before
    report "$wait"
    ;;
  job) job "$@" ;;
  poll)
    in_job "$1" "$2"
    beat "$1"
    sed 's/^/before./' before
    report "$3"
    ;;
  end)
    cd "$1/$2" 2>/dev/null || exit 0
    end_job
    cd "$1" && rm -rf "./$2"
    ;;
  clean) cd "$1" && rm -rf store jobs lock && cd / && rmdir "$1" 2>/dev/null; [ ! -e "$1/store" ] ;;
  *) echo "hand.sh: no verb '$verb'" >&2; exit 2 ;;
esac
