"""What goes over the wire, as pydantic models: the one source of validation, of answers and of the OpenAPI document."""
