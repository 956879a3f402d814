"""Metrics: what an invocation counts, and what Prometheus reads."""
