"""What the tests of this folder share."""

from tests.unit.serving.served import kept, served

__all__ = ["kept", "served"]
