"""Turns the rows of a real recovery into a scenario folder, without any name of the cloud that it happened in."""
