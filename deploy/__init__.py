"""Putting it into a cluster."""
