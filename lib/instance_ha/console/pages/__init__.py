"""The pages, a module each."""

from instance_ha.console.pages import host, incident, lists, overview, pauses, plan, recovery
from instance_ha.console.visit import Page

PAGES: tuple[Page, ...] = (
    overview.PAGE,
    recovery.PAGE,
    host.PAGE,
    plan.PAGE,
    incident.PAGE,
    lists.RECOVERIES,
    lists.HOSTS,
    lists.SEGMENTS,
    pauses.PAGE,
)
