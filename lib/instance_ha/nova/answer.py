"""What Nova's answers mean, and its silence."""

from collections.abc import Callable
from typing import Any

from keystoneauth1 import exceptions as ksa

from instance_ha import refusal
from instance_ha.http_limits import within
from instance_ha.models.errors import CloudRefused, CloudTimeout, CloudUnavailable, TimeIsUp

# 401 and 403: Keystone, a policy or our user's roles are being changed, which passes.
_UNAVAILABLE = frozenset({401, 403, 408, 429})


def answer(ask: Callable[[], Any], seconds: float, who: str = "Nova", own: str = "itemNotFound") -> Any:
    """Ask, for ``seconds`` at most (with a new token, if one is due), and turn every failure into one of ours.

    A 404 without the word ``own`` is not of the service ``who``, but of a proxy: as while the API is deployed anew.
    """
    try:
        with within(seconds):
            response = ask()
    except (TimeIsUp, ksa.ConnectTimeout) as error:
        raise CloudTimeout(f"{who} did not answer in time: {error.__cause__ or error}") from error
    except (ksa.ConnectFailure, ksa.RetriableConnectionFailure) as error:
        raise CloudUnavailable(f"the cloud cannot be reached: {error}") from error
    except ksa.ClientException as error:  # Keystone's own refusals, a missing catalog entry
        raise CloudUnavailable(f"Keystone: {error}") from error
    if response.status_code >= 500 or response.status_code in _UNAVAILABLE or _is_of_a_proxy(response, own):
        raise CloudUnavailable(f"{who} answered {response.status_code}: {refusal.text_of(response)}")
    if response.status_code >= 400:
        raise CloudRefused(response.status_code, refusal.text_of(response))
    return response


def _is_of_a_proxy(response: Any, own: str) -> bool:
    return response.status_code == 404 and own not in response.text
