"""Makes what Knative and the gateways are told from stack.yml and deploy/settings.yml, and checks these two."""
