"""Consul: three clusters, each over one network, whose gossip says which hosts can be reached there."""
