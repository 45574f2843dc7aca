#!/bin/sh
# sleeper.sh MODEL RUNS: as many inferences as asked for; prints how long each was meant to take, in microseconds.
us=$(sed -n 's/^us = //p' "$1")
run=0
while [ "$run" -lt "$2" ]; do
    sleep "$(awk "BEGIN { print $us / 1000000 }")"
    echo "inference us=$us"
    run=$((run + 1))
done
