"""Fencing: one module for each method of cutting a host's power, and the file that says which host has which."""
