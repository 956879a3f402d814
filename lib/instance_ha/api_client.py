"""The API as its other clients use it: what hosts and operators ask of it at a shell, with a token of their own."""

from functools import partial
from typing import Any

from keystoneauth1 import exceptions as ksa
from keystoneauth1.adapter import Adapter

from instance_ha import refusal
from instance_ha.http_limits import within
from instance_ha.models.errors import CloudRefused, CloudTimeout, CloudUnavailable, TimeIsUp


class ApiClient:
    """Sends requests to the instance HA API, each once."""

    def __init__(self, adapter: Adapter, timeout: float) -> None:
        self._adapter = adapter
        self._timeout = timeout

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON of the answer; None when it has none.

        Raises:
            CloudRefused: the API refuses it, with the API's own words.
            CloudUnavailable: there was no answer, or a 5xx; what was asked for may have been done.

        """
        ask = partial(self._adapter.request, path, method, json=body, timeout=self._timeout)
        try:
            with within(self._timeout):
                answer = ask(raise_exc=False, connect_retries=0, status_code_retries=0)
        except (TimeIsUp, ksa.ConnectTimeout):
            raise CloudTimeout("the instance HA API did not answer in time") from None
        except ksa.ClientException as error:
            raise CloudUnavailable(f"the instance HA API cannot be reached: {type(error).__name__}") from None
        if answer.status_code >= 500:
            raise CloudUnavailable(f"the instance HA API answered {answer.status_code}: {refusal.text_of(answer)}")
        if answer.status_code >= 400:
            raise CloudRefused(answer.status_code, refusal.text_of(answer))
        return answer.json() if answer.content else None
