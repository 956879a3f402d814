"""What people do here. Each button is an operation of the API: the same policy, the same checks, the same code."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Response

from instance_ha.api import approvals, evidence, pauses, returns
from instance_ha.api.microversion import HIGHEST
from instance_ha.api.operation import Operation, Route
from instance_ha.api.schemas.base import Nothing, read_body
from instance_ha.console import form as forms
from instance_ha.console.form import Form
from instance_ha.console.login import go_to, target
from instance_ha.console.visit import Visit
from instance_ha.models.errors import BadRequest

_ABOUT = {"segment": ("segment_uuid",), "host": ("host",)}  # what a pause of this scope names
_HOURS = {"1": 1, "4": 4, "12": 12, "24": 24, "72": 72, "168": 168}


@dataclass(frozen=True)
class Button:
    """A form's address, and what the API is sent for it; ``done`` names the notice that is shown then."""

    path: str
    operation: Operation[Any]
    done: str
    body: Callable[[Visit, Form], dict[str, Any]] | None = None


def press(button: Button, visit: Visit) -> Response:
    """Do it, and go back to the page.

    Raises:
        Refused: the form is not of this session, the policy forbids it, or the API refuses it.
        TryAgain: Postgres is away.

    """
    form = forms.read(visit.request, visit.world.settings.max_request_body_size)
    forms.check_key(form, visit.session)
    operation = button.operation
    assert operation.rule is not None
    visit.world.policy.check(visit.caller, operation.rule)
    asked = Nothing() if button.body is None else read_body(operation.asks, button.body(visit, form), HIGHEST)
    operation.handler(visit.call, asked)
    return go_to(f"{target(form.get('back', '')).partition('?')[0]}?done={button.done}")


def _operation(routes: Sequence[Route], method: str) -> Operation[Any]:
    return next(route.methods[method] for route in routes if method in route.methods)


def _approval(visit: Visit, form: Form) -> dict[str, Any]:
    said = {"verdict": form.get("verdict", ""), "reason": form.get("reason", "")}
    return {"approval": {"notification_uuid": visit.path["notification"], **said}}


def _pause(visit: Visit, form: Form) -> dict[str, Any]:
    hours = _HOURS.get(form.get("hours", ""))
    if hours is None:
        raise BadRequest(f"hours must be one of {', '.join(_HOURS)}")
    until = visit.now + timedelta(hours=hours)
    scope = form.get("scope", "")
    about = {name: form.get(name, "") for name in _ABOUT.get(scope, ())}
    return {"pause": {"scope": scope, "reason": form.get("reason", ""), "until": until.isoformat(), **about}}


def _confirmation(visit: Visit, form: Form) -> dict[str, Any]:
    return {"evidence": {"host": visit.path["host"], "kind": "confirmed", "reason": form.get("reason", "")}}


def _return(visit: Visit, form: Form) -> dict[str, Any]:
    return {"return": {"host": visit.path["host"], "move_home": form.get("move_home") == "on"}}


BUTTONS = (
    Button("/recoveries/<notification>/approval", _operation(approvals.ROUTES, "POST"), "decided", _approval),
    Button("/hosts/<host>/confirmation", _operation(evidence.ROUTES, "POST"), "confirmed", _confirmation),
    Button("/hosts/<host>/return", _operation(returns.ROUTES, "POST"), "returns", _return),
    Button("/returns/<return_id>/stop", _operation(returns.ROUTES, "DELETE"), "stops"),
    Button("/pauses/new", _operation(pauses.ROUTES, "POST"), "paused", _pause),
    Button("/pauses/<pause_id>/end", _operation(pauses.ROUTES, "DELETE"), "unpaused"),
)
NOTICES = {
    "decided": "Your decision is stored; the recovery is checked at once.",
    "confirmed": "Your confirmation is stored; the recovery is checked at once.",
    "returns": "The host is being brought back; below it says what the return waits for.",
    "stops": "The return is being stopped.",
    "paused": "The pause has begun.",
    "unpaused": "The pause has ended; what it held is checked at once.",
}
