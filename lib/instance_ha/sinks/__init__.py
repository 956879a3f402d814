"""Events for others: what is sent, and how each kind of sink is spoken to."""
