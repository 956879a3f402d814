"""The real tier: real Consul clusters, a real libvirt with a real guest; `make test-real` installs and runs it."""
