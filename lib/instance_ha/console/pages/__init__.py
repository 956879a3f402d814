"""The pages, a module each."""

from instance_ha.console.pages import overview
from instance_ha.console.visit import Page

PAGES: tuple[Page, ...] = (overview.PAGE,)
