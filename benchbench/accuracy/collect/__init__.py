"""Outputs of samples through the very path that is timed, in as many launches as it takes."""
