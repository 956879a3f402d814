"""The tasks of the recovery flows, a module each."""
