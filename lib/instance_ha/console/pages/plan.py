"""A plan: what would be done if this host died now. Nova is asked, nothing is changed."""

from typing import Any

from instance_ha.api import plans
from instance_ha.api.schemas.plans import CreatePlan, NewPlan
from instance_ha.console.shares import share
from instance_ha.console.visit import Page, Visit

_SIZE = 100


def show(visit: Visit) -> dict[str, Any]:
    """Make it, as the API does."""
    asked = CreatePlan(plan=NewPlan(host=visit.path["host"]))
    (plan,) = plans.create(visit.call, asked).plans
    return {
        "plan": plan,
        "instances": share(plan.instances or [], visit.query.get("page"), _SIZE),
        "left_out": share(plan.left_out or [], visit.query.get("page"), _SIZE),
    }


PAGE = Page("/plans/<host>", "plan.html", ("instance-ha:plans:create",), show)
