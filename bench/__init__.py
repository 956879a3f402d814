"""Measurements of speed and size, each beside its comparison of the same run: ``python -m bench``."""
