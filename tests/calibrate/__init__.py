"""Are the intervals and verdicts as often right as they say? Simulated launches, the program's own functions.

`python -m tests.calibrate`, or `make calibrate`, prints every figure; tests run a short form of some with bounds.
"""
