"""``make demo``: a host of a simulated cloud dies, and its instances run again elsewhere."""
