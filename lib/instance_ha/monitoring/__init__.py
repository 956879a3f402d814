"""What the monitors do: look, remember, decide, and report by the public API."""
