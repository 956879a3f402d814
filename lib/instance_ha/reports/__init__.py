"""The monitors' way to tell of a failure: the public API, as any monitor elsewhere uses it."""
