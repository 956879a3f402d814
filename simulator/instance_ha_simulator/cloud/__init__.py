"""A simulated OpenStack (Keystone and Nova), in memory, for demos, benchmarks and tests."""
