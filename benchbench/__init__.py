"""benchbench: on-device benchmarks across hardware delegates, with numbers that can be believed."""
