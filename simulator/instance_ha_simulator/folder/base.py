"""What all parts of a scenario folder have in common."""

from pydantic import BaseModel, ConfigDict
from pydantic_core import ErrorDetails

MISSING = "this key is missing"
_UNKNOWN = "there is no such key"
_WORDS = {"extra_forbidden": _UNKNOWN, "unexpected_keyword_argument": _UNKNOWN, "missing": MISSING}


class Part(BaseModel):
    """A mapping in a file of a folder: a key that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


def in_words(error: ErrorDetails) -> str:
    """Say what is wrong with a value."""
    return _WORDS.get(error["type"]) or error["msg"][:1].lower() + error["msg"][1:]
