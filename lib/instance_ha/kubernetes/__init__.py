"""Kubernetes: its control plane watches the nodes that the compute hosts run on."""
