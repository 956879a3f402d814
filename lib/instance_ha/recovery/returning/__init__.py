"""The way back of a host that was recovered: it serves again, and its instances go home.

workflow.py is one invocation's share, host.py gives the host back, moves.py live-migrates its instances.
"""
