"""Measure one model, in this process: the program that travels to the devices, zipped into one file.

    python device_script.pyz request.json answer.json     one launch; always leaves an answer, also when it fails
    python device_script.pyz --probe [RUNTIME …]          one JSON line about this interpreter and what it can reach
    python -m benchbench.device_script …                  the same, straight from a checkout

Python >= 3.7, numpy and whichever package of a runtime is installed; nothing of benchbench, so its modules import each
other relatively. It is run in a folder of its own, where it also leaves `stage.txt` (what it was doing: a model can
kill the process) and `native.log` (what the native libraries wrote to stderr: the only place where accelerators report
what they took).

A runtime has a folder here, with its engines and all that they need; `engine.py` is what one is, and `engines.py` alone
names them all.

Times are nanoseconds, memory is 2**20 bytes.
"""
