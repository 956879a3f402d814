"""What the tests of this folder share."""

from tests.unit.serving.served import served

__all__ = ["served"]
