"""Pure decisions: facts, policy and the time go in, frozen values come out. Imports only models."""
