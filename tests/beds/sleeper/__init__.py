"""A runtime whose models only say how long an inference takes: what a second runtime must be, and no more."""
