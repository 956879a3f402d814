"""The simulator: our functions, real Postgres, a simulated cloud and broker, and time that waits for all that work.

An invocation is a thread, but only one runs at a time, and it gives way only when it sleeps. So a run is exact: the
same world and the same faults give the same log, and hours pass in a second.
"""
