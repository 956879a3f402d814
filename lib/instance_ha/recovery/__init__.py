"""What the event functions do: recover a host, evacuate one instance, send again what is overdue."""
