"""Whatever is sent, the answer is one that the OpenAPI document promises, and never a 5xx.

``FUZZ_SEED=7 pytest tests/functions/test_any_request.py`` sends other requests.
"""

import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from instance_ha.api import openapi
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.functions.conftest import Installation, unique

_CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SEED = int(os.environ.get("FUZZ_SEED", "20261122"))
_RESERVED = {"Content-Length", "Host", "Transfer-Encoding", "Connection", "Expect"}


_SCHEMA = schemathesis.openapi.from_dict(openapi.document())
_OPERATIONS: list[Any] = [result.ok() for result in _SCHEMA.get_all_operations()]  # type: ignore[union-attr]
_RIGHT, _WRONG = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
_CASES = [(operation, _RIGHT) for operation in _OPERATIONS]
_CASES += [(operation, _WRONG) for operation in _OPERATIONS if "x-policy-rule" in operation.definition.raw]


@pytest.fixture
def there(installation: Installation) -> dict[str, str]:
    """Names of things that are there."""
    segment = installation.segment()
    host = installation.host(segment)
    notification = installation.notification(host)
    free = unique("compute")
    installation.cloud.add_host(free)
    return {
        "segment_id": segment["uuid"],
        "host_id": host["uuid"],
        "notification_id": notification["notification_uuid"],
        "hostname": host["name"],
        "name": free,
        "alias": "segments",
        "version_id": "v1.0",
    }


def _name_what_is_there(body: Any, there: dict[str, str]) -> None:
    for envelope, name in (("notification", "hostname"), ("host", "name"), ("evidence", "host"), ("plan", "host")):
        inside = body.get(envelope) if isinstance(body, dict) else None
        if isinstance(inside, dict) and name in inside and len(str(inside)) % 2:
            inside[name] = there["hostname" if envelope in {"evidence", "plan"} else name]


@pytest.mark.parametrize(("operation", "mode"), _CASES, ids=lambda case: getattr(case, "label", None) or case.value)
def test_any_request_gets_an_answer_of_the_document(
    operation: Any, mode: Any, installation: Installation, there: dict[str, str]
) -> None:
    @seed(SEED)
    @settings(max_examples=25, database=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        for name, value in (case.path_parameters or {}).items():
            if len(str(value)) % 2 and name in there:  # about half of the requests are about something that is there
                case.path_parameters[name] = there[name]
        case.headers = {name: value for name, value in case.headers.items() if name.title() not in _RESERVED}
        case.headers["X-Auth-Token"] = installation.token()
        _name_what_is_there(case.body, there)
        answer = case.call(base_url=installation.url, allow_redirects=False, timeout=30)
        case.validate_response(answer, checks=_CHECKS)

    send()
