"""Posts notifications, as stock monitors do (reference, section 8.1)."""

from typing import Any

from keystoneauth1 import exceptions as ksa
from keystoneauth1.adapter import Adapter

from instance_ha.models.errors import CloudTimeout, CloudUnavailable
from instance_ha.models.health import Answer, Report

_TIME = "%Y-%m-%dT%H:%M:%S.%f"


class ReportClient:
    """Sends reports with the monitor's own credentials, without a microversion."""

    def __init__(self, adapter: Adapter, timeout: float) -> None:
        self._adapter = adapter
        self._timeout = timeout

    def send(self, report: Report) -> Answer:
        """Send once: what is not taken is sent again by whoever finds that it still holds.

        Raises:
            CloudUnavailable: there was no answer; the report may have been taken.

        """
        try:
            answer = self._adapter.post("/notifications", json=_body(report), raise_exc=False, **self._limits())
        except ksa.ConnectTimeout:
            raise CloudTimeout("the instance HA API did not answer in time") from None
        except ksa.ClientException as error:
            raise CloudUnavailable(f"the instance HA API cannot be reached: {type(error).__name__}") from None
        return Answer(answer.status_code, _reason(answer))

    def _limits(self) -> dict[str, Any]:
        return {"timeout": self._timeout, "connect_retries": 0, "status_code_retries": 0}


def _body(report: Report) -> dict[str, Any]:
    return {
        "notification": {
            "type": report.type,
            "hostname": report.hostname,
            "generated_time": report.generated_time.strftime(_TIME),
            "payload": dict(report.payload),
        }
    }


def _reason(answer: Any) -> str:
    if answer.status_code < 300:
        return "taken"
    try:
        return str(next(iter(answer.json().values()))["message"])
    except (ValueError, TypeError, KeyError, StopIteration, AttributeError):
        return str(answer.text)[:200]
