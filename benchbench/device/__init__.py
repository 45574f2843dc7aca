"""One device in use: reach it, probe it, stage files once, run jobs to their end, leave it clean."""
