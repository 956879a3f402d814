"""Serves a function: ``python -m instance_ha.serving FOLDER``, in an image and in the isolated local runtime alike.

functions-framework makes the application of the folder's main.py; gunicorn serves it, set up by us: one process with
threads, nothing on disk, no control socket, no log of requests. The platforms' own variables set it up: ``PORT``,
``HOST``, ``THREADS`` (work at once), ``exec_timeout`` (how long work may last, as OpenFaaS' watchdog writes it) and
``WATCHDOG`` (OpenFaaS' watchdog, where calls come through it).
"""

import gc
import math
import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from instance_ha.durations import seconds
from instance_ha.models.errors import Misconfigured
from instance_ha.serving.application import load
from instance_ha.serving.entrance import Entrance, Wsgi
from instance_ha.serving.function import declared, give_world, world_of
from instance_ha.serving.ticking import tick
from instance_ha.serving.watchdog import Watchdog
from instance_ha.serving.worker import Worker

_THREADS, _MOST_THREADS = 8, 1000
_LAST_PORT = 65535
_SPARE_THREADS = 2  # for questions about health: while all others work for a minute, the instance still lives
_EXEC_TIMEOUT = "60s"
_LINE, _FIELD = 8190, 16384  # bytes of a request line, and of one header: OpenStack's own bound, tokens are long
_BODY = 114688  # bytes of a body, for a function that has no settings of ours
_MEMORY = "/dev/shm"  # noqa: S108 - a worker's heartbeat file, unlinked as soon as it is open


class _Log(Logger):  # type: ignore[misc]
    """Gunicorn's troubles, in the same lines as all others."""

    def setup(self, cfg: Any) -> None:
        """Hand them on."""
        super().setup(cfg)
        self.error_log.propagate = True


class _Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn with our options and nobody else's: no file, no variable."""

    def __init__(self, entrance: Entrance, body_limit: int, heads_first: bool, options: Mapping[str, Any]) -> None:
        self.entrance = entrance
        self.body_limit = body_limit
        self.heads_first = heads_first  # whether the application can be asked about a head alone
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Wsgi:
        return self.entrance


def options(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return gunicorn's options.

    Raises:
        ValueError: a variable is wrong.

    """
    return {
        "bind": f"{environ.get('HOST') or '0.0.0.0'}:{_number(environ, 'PORT', 8080, _LAST_PORT)}",  # noqa: S104 - a container's
        "workers": 1,
        "worker_class": Worker,
        "threads": 2 * work(environ) + _SPARE_THREADS,
        "timeout": 0,  # work ends by itself (invocation_time); a worker killed for one would take the others with it
        "graceful_timeout": _duration(environ),
        "logger_class": _Log,
        "loglevel": "warning",
        "errorlog": None,
        "accesslog": None,
        "control_socket_disable": True,
        "worker_tmp_dir": _MEMORY if os.access(_MEMORY, os.W_OK) else None,
        "limit_request_line": _LINE,
        "limit_request_field_size": _FIELD,
        "forwarder_headers": "",  # nobody may set SCRIPT_NAME and PATH_INFO by a header, no sidecar either
        "forwarded_allow_ips": "",
    }


def work(environ: Mapping[str, str]) -> int:
    """Return how much is worked on at once."""
    return _number(environ, "THREADS", _THREADS, _MOST_THREADS)


def _number(environ: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isdecimal() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
        raise ValueError(f"{name}: {text!r} is not a number from 1 to {most}")
    return int(text)


def _duration(environ: Mapping[str, str]) -> int:
    try:
        return math.ceil(seconds(environ.get("exec_timeout") or _EXEC_TIMEOUT))
    except ValueError as error:
        raise ValueError(f"exec_timeout: {error}") from None


def main(folder: Path) -> None:
    """Serve the function of a folder, until SIGTERM."""
    try:
        wanted = options(os.environ)
        application = load(folder, os.environ)
    except (OSError, ValueError, Misconfigured) as error:
        sys.exit(str(error))
    gc.freeze()  # what was imported stays
    gc.enable()
    entrance, world, function = Entrance(application, work(os.environ)), world_of(application), declared(application)
    if program := os.environ.get("WATCHDOG"):
        watchdog = Watchdog(program, os.environ)
        wanted |= {"when_ready": watchdog.start, "on_exit": watchdog.stop}
    if world is None or function is None:
        _Server(entrance, _BODY, heads_first=False, options=wanted).run()
        return
    give_world(application, replace(world, ending=lambda: entrance.closed))
    wanted["worker_exit"] = lambda _server, _worker: world.metrics.flush_now(world.database)
    if function.tick_at_start:
        wanted["post_worker_init"] = partial(_begin_tick, entrance, next(iter(world.settings.cron_tokens), None))
    _Server(entrance, world.settings.max_request_body_size, heads_first=True, options=wanted).run()


def _begin_tick(entrance: Entrance, token: bytes | None, _worker: Worker) -> None:
    threading.Thread(target=tick, args=(entrance, token), daemon=True, name="first-tick").start()
