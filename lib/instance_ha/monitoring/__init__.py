"""What the monitors do: poll, remember, decide, and report by the public API."""
