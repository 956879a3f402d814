"""``/openapi.json``: the whole API described, for people and for generators of clients."""

from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.base import Nothing
from instance_ha.api.schemas.discovery import Document


def show(_call: Call, _: Nothing) -> Document:
    """Show this document."""
    from instance_ha.api import openapi  # it needs the routes of all functions, which no other request does

    return Document(openapi.document())


ROUTES = (Route("/openapi.json", {"GET": Operation(show, Document)}, public=True),)
