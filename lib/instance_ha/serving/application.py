"""Makes the application of a function: its main.py, in the world that an environment describes."""

import ast
from collections.abc import Mapping
from pathlib import Path

from flask import Flask
from functions_framework import create_app

from instance_ha import log, settings
from instance_ha.api import faults
from instance_ha.composition import Composition
from instance_ha.models.errors import Misconfigured
from instance_ha.serving.function import declared, give_world
from instance_ha.startup import check_cloud, check_secrets


def load(folder: Path, environ: Mapping[str, str]) -> Flask:
    """Make the application of a folder's main.py.

    Raises:
        ValueError: main.py has no function to serve, or several.
        Misconfigured: a setting is missing or wrong.

    """
    source = folder / "main.py"
    application: Flask = create_app(target(source), str(source), "http")
    if (function := declared(application)) is None:  # somebody else's, which knows nothing of our world
        return application
    try:
        given = settings.load(environ)
        for check in (check_secrets, *((check_cloud,) if function.cloud else ()), *function.checks):
            check(given, environ)
    except Misconfigured as error:
        raise Misconfigured(f"{function.name}: {error}") from None
    log.configure(given.log_level)
    give_world(application, function.compose(Composition(given, environ)))
    # A path with a line break fits no route of functions-framework, and never comes to us.
    application.register_error_handler(404, lambda _: faults.fault(404, "The resource could not be found."))
    return application


def target(source: Path) -> str:
    """Name the function of a main.py that functions-framework shall serve.

    Raises:
        ValueError: it has none, or several.

    """
    functions = [node for node in ast.parse(source.read_text()).body if isinstance(node, ast.FunctionDef)]
    marked = [f.name for f in functions if "functions_framework.http" in map(ast.unparse, f.decorator_list)]
    if len(marked) != 1:
        raise ValueError(f"{source} needs one function that is marked @functions_framework.http")
    return marked[0]
