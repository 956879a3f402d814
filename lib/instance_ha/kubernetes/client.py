"""The kubernetes client, as far as we use it: one list, page by page, with time limits and without its own retries."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import urllib3
import yaml
from kubernetes import client, config
from kubernetes.client.rest import ApiException
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.incluster_config import InClusterConfigLoader

from instance_ha.http_limits import limit, within
from instance_ha.models.errors import SourceUnavailable, TimeIsUp
from instance_ha.settings import Settings

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_GONE = 410  # the list has changed too much since its first page
_TRIES = 2


class Nodes:
    """The nodes of a cluster."""

    def __init__(self, settings: Settings, environ: Mapping[str, str], account: Path) -> None:
        self._settings = settings
        self._environ = environ
        self._account = account
        self._api: Any = None

    def all(self, selector: str) -> list[dict[str, Any]]:
        """List the nodes that the selector takes, every page of them.

        Raises:
            SourceUnavailable: the API server does not answer, or refuses.

        """
        for _ in range(_TRIES):
            try:
                return list(self._pages(selector))
            except ApiException as error:
                if error.status != _GONE:
                    raise SourceUnavailable(
                        f"the Kubernetes API server answered {error.status} {error.reason or ''}".rstrip()
                    ) from None
            except TimeIsUp:
                raise SourceUnavailable("the Kubernetes API server did not answer in time") from None
            except (urllib3.exceptions.HTTPError, OSError) as error:
                reason = type(error).__name__
                raise SourceUnavailable(f"the Kubernetes API server cannot be reached: {reason}") from None
            except ConfigException as error:
                raise SourceUnavailable(f"the Kubernetes configuration cannot be used: {error}") from None
            except (ValueError, KeyError, TypeError):
                raise SourceUnavailable(
                    "the Kubernetes API server gave an answer that is not a list of nodes"
                ) from None
        raise SourceUnavailable("the list of nodes changes too fast to be read")

    def _pages(self, selector: str) -> Iterator[dict[str, Any]]:
        api, settings = self._client(), self._settings
        asked: dict[str, Any] = {"limit": settings.kubernetes_page_size}
        if selector:
            asked["label_selector"] = selector
        while True:
            with within(settings.kubernetes_timeout):
                page = json.loads(self._page(api, asked))
            if page["kind"] != "NodeList":
                raise ValueError(page["kind"])
            yield from page.get("items") or []
            following = (page.get("metadata") or {}).get("continue")
            if not following:
                return
            asked["_continue"] = following

    def _page(self, api: Any, asked: dict[str, Any]) -> bytes:
        # As JSON: the client's models refuse nodes that lack what they hold for required.
        answer = api.list_node(_preload_content=False, _request_timeout=self._settings.kubernetes_timeout, **asked)
        return bytes(answer.data)

    def _client(self) -> Any:
        if self._api is None:
            made = client.Configuration()
            self._configure(made)
            made.retries = urllib3.Retry(0, redirect=0)  # three more tries would take longer than the poll may
            api = client.ApiClient(made)
            limit(api.rest_client.pool_manager)
            self._api = client.CoreV1Api(api)
        return self._api

    def _configure(self, made: Any) -> None:
        file, context = self._settings.kubernetes_config_file, self._settings.kubernetes_context
        if file is None:
            token, authority = str(self._account / "token"), str(self._account / "ca.crt")
            InClusterConfigLoader(token, authority, environ=self._environ).load_and_set(made)
            return
        try:
            config.load_kube_config(str(file), context=context, client_configuration=made)
        except yaml.YAMLError:
            raise ConfigException(f"{file} is not valid YAML") from None
