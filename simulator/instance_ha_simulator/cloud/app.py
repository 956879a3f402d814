"""The simulated cloud as one WSGI application."""

import re
from datetime import datetime

from flask import Flask, Response, current_app, g, jsonify, request
from werkzeug.test import EnvironBuilder

from instance_ha_simulator.cloud import control, keystone, nova, placement
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.faults import DroppedConnectionError, Rule
from instance_ha_simulator.cloud.history import Received

_SENT_AT = "sim.sent_at"  # of a request that was late: nothing more goes wrong with it


def create_app(cloud: Cloud) -> Flask:
    """Return the WSGI application: /identity, /compute, and /sim to control it."""
    app = Flask("sim")
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.before_request(lambda: _before(cloud))
    app.after_request(lambda answer: _after(cloud, answer))
    for part in (keystone, nova, placement, control):
        app.register_blueprint(part.blueprint(cloud))
    return app


def _before(cloud: Cloud) -> Response | None:
    if request.path.startswith("/sim/"):
        return None
    _count(cloud)
    if late := request.environ.get(_SENT_AT):
        _receive(cloud, late)
        return None
    sent_at = cloud.clock.now()
    if request.path.startswith("/compute"):
        _wait(cloud, cloud.options.latency)
    rule = cloud.faults.take(request.method, request.path, _action())
    _wait(cloud, rule.latency if rule else 0.0)
    _receive(cloud, sent_at)
    if rule is None:
        return None
    if rule.late:
        _carry_out_later(cloud, sent_at, rule.late)
        return Response("<html><body><h1>504 Gateway Time-out</h1></body></html>", 504)
    if rule.after:
        g.rule_after = rule
        return None
    return _trouble(rule)


def _receive(cloud: Cloud, sent_at: datetime) -> None:
    if action := _action():
        with cloud.world() as world:
            world.history.received.append(Received(world.now, request.path.split("/")[-2], action, sent_at))


def _action() -> str | None:
    body = request.get_json(silent=True) if request.path.endswith("/action") else None
    return next(iter(body), None) if isinstance(body, dict) else None


def _carry_out_later(cloud: Cloud, sent_at: datetime, seconds: float) -> None:
    client = current_app.test_client(use_cookies=False)
    again = EnvironBuilder(
        request.path,
        request.host_url,
        request.query_string.decode(),
        method=request.method,
        headers=[(name, value) for name, value in request.headers if name != "Content-Length"],
        data=request.get_data(),
        environ_overrides={_SENT_AT: sent_at},
    )

    def carry_out(_at: datetime) -> None:
        client.open(again)

    with cloud.world() as world:
        world.timeline.at(world.now, seconds, carry_out)


def _after(cloud: Cloud, answer: Response) -> Response:
    if request.method == "GET" and answer.status_code == 200:
        with cloud.world() as world:
            world.history.reads.setdefault(request.path.rpartition("/")[2], []).append(world.now)
    rule: Rule | None = g.pop("rule_after", None)
    return answer if rule is None else _trouble(rule) or answer


def _trouble(rule: Rule) -> Response | None:
    if rule.drop:
        raise DroppedConnectionError(f"dropped: {request.method} {request.path}")
    if rule.status is None:
        return None
    answer = Response(rule.body, rule.status) if isinstance(rule.body, str) else jsonify(rule.body or {})
    answer.status_code = rule.status
    answer.headers.update(rule.headers)
    return answer


def _count(cloud: Cloud) -> None:
    rule = request.url_rule.rule if request.url_rule is not None else "unknown"
    route = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)
    with cloud.world():
        cloud.requests[request.method, route] += 1


def _wait(cloud: Cloud, seconds: float) -> None:
    if seconds > 0:
        cloud.clock.sleep(seconds)
