"""The tasks of the recovery flows, a module each (reference, section 5.2)."""
