"""Mutants: our safety rules, broken one at a time, and the tests that must notice it."""
