"""What a variant gets right: datasets, metrics, and fidelity of outputs."""
