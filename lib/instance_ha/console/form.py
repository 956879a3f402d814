"""What a browser has posted."""

import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl

from flask import Request

from instance_ha.api.web import read_request
from instance_ha.console.session import Session
from instance_ha.models.errors import BadMediaType, BadRequest, Forbidden

Form = Mapping[str, str]
_KIND = "application/x-www-form-urlencoded"
_MOST = 50  # fields


def read(request: Request, limit: int) -> Form:
    """Read a form; of a repeated field the last counts.

    Raises:
        BadMediaType: it is none.
        TooLarge: it has more than ``limit`` bytes.
        BadRequest: it is cut off, or no form in UTF-8.

    """
    if request.mimetype != _KIND:
        raise BadMediaType(f"unsupported Content-Type {request.mimetype}: send {_KIND}")
    try:
        text = read_request(request, limit).decode()
        fields = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST)
    except ValueError:
        raise BadRequest("the request body is not a form in UTF-8") from None
    return dict(fields)


def check_key(form: Form, session: Session | None) -> None:
    """Refuse a form that no page of ours has made for this browser.

    Raises:
        Forbidden: its key is not the one of the session.

    """
    given = form.get("form_key", "")
    if session is None or not hmac.compare_digest(given.encode(), session.form_key.encode()):
        raise Forbidden("this form is not of this session any more: go back, load the page again, and repeat it")
