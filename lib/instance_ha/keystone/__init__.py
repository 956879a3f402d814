"""Keystone: our own session with the cloud, and the check of a caller's token."""
