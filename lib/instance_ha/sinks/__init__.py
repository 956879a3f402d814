"""Events for others: what they say (reference, section 6), and how a sink is spoken to."""
