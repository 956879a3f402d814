"""The monitors' way to report a failure: they post a notification to the public API, as stock monitors do."""

from typing import Any

from keystoneauth1 import exceptions as ksa
from keystoneauth1.adapter import Adapter

from instance_ha import refusal
from instance_ha.http_limits import within
from instance_ha.models.errors import CloudTimeout, CloudUnavailable, TimeIsUp
from instance_ha.models.health import NotificationRequest, NotificationResponse

_TIME = "%Y-%m-%dT%H:%M:%S.%f"


class HttpNotificationClient:
    """Posts notifications with the monitor's own credentials, without a microversion."""

    def __init__(self, adapter: Adapter, timeout: float) -> None:
        self._adapter = adapter
        self._timeout = timeout

    def post(self, request: NotificationRequest) -> NotificationResponse:
        """Post once: what is not accepted is posted again by the poll that finds that it still holds.

        Raises:
            CloudUnavailable: there was no answer; the notification may have been accepted.

        """
        try:
            with within(self._timeout):
                answer = self._adapter.post(
                    "/notifications",
                    json=_body(request),
                    raise_exc=False,
                    timeout=self._timeout,
                    connect_retries=0,
                    status_code_retries=0,
                )
        except (TimeIsUp, ksa.ConnectTimeout):
            raise CloudTimeout("the instance HA API did not answer in time") from None
        except ksa.ClientException as error:
            raise CloudUnavailable(f"the instance HA API cannot be reached: {type(error).__name__}") from None
        reason = "accepted" if answer.status_code < 300 else refusal.text_of(answer)
        return NotificationResponse(answer.status_code, reason)


def _body(request: NotificationRequest) -> dict[str, Any]:
    return {
        "notification": {
            "type": request.type,
            "hostname": request.hostname,
            "generated_time": request.generated_time.strftime(_TIME),
            "payload": dict(request.payload),
        }
    }
