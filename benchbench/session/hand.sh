#!/bin/sh
# benchbench's hand on a device: one POSIX sh file for Android (mksh, toybox) and Linux (dash, bash, busybox).
# It is pushed once and called as `sh hand.sh VERB ARG...`; nothing is ever pasted into it.
#
#   probe                                       what the device is: key=value lines
#   conditions                                  how it is doing now: key=value lines
#   have FILE...                                those of the files that exist
#   accept TEMPORARY FINAL SHA256 SIZE MODE     check a pushed file and give it its name
#   lock FOLDER OWNER [break]                   take the device, or say who holds it
#   unlock FOLDER OWNER
#   sweep JOBS                                  end what earlier controllers left running, forget their jobs
#   start JOBS NAME LIMIT WAIT (put NAME FILE)... (answer NAME)... -- ARG...    a job, detached; then as poll
#   poll JOBS NAME WAIT                         wait a while for it; its state, and all it left when it is done
#   end JOBS NAME                               kill it if it runs, and remove its folder
#   clean FOLDER                                remove everything
#
# A job is a folder made by mkdir (that is its lock: a second start of the same name starts nothing), a session of
# its own, a time limit kept by the device, output in files, and its exit code written last, by rename.
export LC_ALL=C
case $0 in /*) self=$0 ;; *) self=$PWD/$0 ;; esac

uptime_s() { read -r up _ 2>/dev/null < /proc/uptime && echo "$up"; }
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

kill_session() { # SID: everything in it; GNU timeout makes a process group of its own, so a group is not enough
  for again in 1 2 3; do
    found=""
    for stat in /proc/[0-9]*/stat; do
      pid=${stat#/proc/}
      pid=${pid%/stat}
      [ "$(stat_field "$pid" 6 2>/dev/null)" = "$1" ] && [ "$(stat_field "$pid" 3 2>/dev/null)" != Z ] || continue
      kill -9 "$pid" 2>/dev/null && found=1
    done
    [ -z "$found" ] && return
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

limited() { # LIMIT ARG...: with timeout(1) where there is one, else with a watchdog of our own
  limit=$1
  shift
  if command -v timeout > /dev/null 2>&1; then
    timeout -s KILL "$limit" "$@"
  else
    "$@" &
    child=$!
    (sleep "$limit" && kill -9 "$child") > /dev/null 2>&1 &
    watchdog=$!
    wait "$child"
    code=$?
    kill "$watchdog" 2>/dev/null
    return "$code"
  fi
}

job() { # LIMIT ARG...: runs as the leader of a session, in the job's folder
  limit=$1
  shift
  stat_field $$ 22 > start
  boot_id > boot
  echo $$ > pid
  uptime_s > t0
  limited "$limit" "$@" > out 2> err < /dev/null
  echo $? > rc.tmp
  uptime_s > t1
  mv rc.tmp rc
}

size_of() { wc -c < "$1" 2>/dev/null | tr -d ' '; }

report() { # WAIT: wait for the job in this folder, then its state and, when it is over, all it left
  waited=0
  steps=$(($1 * 20))
  while [ "$waited" -lt "$steps" ]; do
    state=$(state_of)
    case $state in RUNNING | STARTING) pause 0.05 ;; *) break ;; esac
    waited=$((waited + 1))
  done
  state=$(state_of)
  # What died before it could say so leaves no mark: STARTING for long is LOST.
  [ "$state" = STARTING ] && [ "$waited" -ge 100 ] && state=LOST
  say state "$state"
  case $state in RUNNING | STARTING) echo; return ;; esac
  say rc "$(cat rc 2>/dev/null)"
  say t0 "$(cat t0 2>/dev/null)"
  say t1 "$(cat t1 2>/dev/null)"
  conditions | while read -r line; do printf 'after.%s\n' "$line"; done
  set -- out err
  [ -f answers ] && while read -r name; do [ -f "$name" ] && set -- "$@" "$name"; done < answers
  for name in "$@"; do [ -f "$name" ] && printf 'size.%s=%s\n' "$name" "$(size_of "$name")"; done
  echo
  for name in "$@"; do [ -f "$name" ] && cat "$name"; done
}

conditions() {
  for zone in /sys/class/thermal/thermal_zone*; do
    [ -r "$zone/temp" ] || continue
    degrees=$(cat "$zone/temp" 2>/dev/null) || continue
    say "thermal.$(first_line "$zone/type")#${zone##*zone}" "$degrees"
  done
  for policy in /sys/devices/system/cpu/cpufreq/policy*; do
    [ -d "$policy" ] || continue
    say "clock.${policy##*/}" "$(first_line "$policy/scaling_cur_freq")"
    say "max_clock.${policy##*/}" "$(first_line "$policy/cpuinfo_max_freq")"
    say "governor.${policy##*/}" "$(first_line "$policy/scaling_governor")"
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
    dumpsys thermalservice 2>/dev/null | while read -r line; do
      case $line in "Thermal Status: "*) say thermal_status "${line#Thermal Status: }"; break ;; esac
    done
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
  for tool in timeout setsid taskset sha256sum; do
    command -v "$tool" > /dev/null 2>&1 || say missing "$tool"
  done
}

in_job() { cd "$1/$2" 2>/dev/null || { echo state=ABSENT; echo; exit 0; }; }

verb=$1
shift
case $verb in
  probe) probe ;;
  conditions) conditions ;;
  have) for file; do [ -f "$file" ] && echo "$file"; done; : ;;
  accept)
    [ "$(size_of "$1")" = "$4" ] || { echo "size $(size_of "$1"), not $4"; rm -f "$1"; exit 1; }
    if command -v sha256sum > /dev/null 2>&1; then
      sum=$(sha256sum < "$1")
      [ "${sum%% *}" = "$3" ] || { echo "sha256 ${sum%% *}, not $3"; rm -f "$1"; exit 1; }
    fi
    chmod "$5" "$1" && mv -f "$1" "$2"
    ;;
  lock)
    if [ "$3" = break ]; then rm -rf "$1"; fi
    if mkdir "$1" 2>/dev/null; then
      printf '%s\n' "$2" > "$1/owner"
      boot_id > "$1/boot"
      uptime_s > "$1/beat"
      echo state=taken
    elif [ ! -d "$1" ]; then
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
    for folder in */; do
      [ -d "$folder" ] || continue
      (cd "$folder" && [ "$(state_of)" = RUNNING ] && kill_session "$(cat pid)" && echo "ended ${folder%/}")
      rm -rf "./$folder"
    done
    ;;
  start)
    jobs=$1 name=$2 limit=$3 wait=$4
    shift 4
    [ -f "$jobs/../lock/owner" ] && uptime_s > "$jobs/../lock/beat"
    if mkdir "$jobs/$name" 2>/dev/null; then
      cd "$jobs/$name" || exit 1
      : > answers
      while [ "$1" != -- ]; do
        case $1 in
          put) cp "$3" "$2" || exit 1; shift 3 ;;
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
    while read -r line; do printf 'before.%s\n' "$line"; done < before
    report "$wait"
    ;;
  job) job "$@" ;;
  poll)
    in_job "$1" "$2"
    [ -f ../../lock/owner ] && uptime_s > ../../lock/beat
    while read -r line; do printf 'before.%s\n' "$line"; done < before
    report "$3"
    ;;
  end)
    cd "$1/$2" 2>/dev/null || exit 0
    [ "$(state_of)" = RUNNING ] && kill_session "$(cat pid)"
    cd "$1" && rm -rf "./$2"
    ;;
  clean) rm -rf "$1" ;;
  *) echo "hand.sh: no verb '$verb'" >&2; exit 2 ;;
esac
