"""Clients of AWS' services, or of what speaks like them, with limits for a whole exchange."""

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.credentials import Credentials
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool

from instance_ha import masking
from instance_ha.http_limits import limited

_NAMES = {
    "aws_access_key_id": "AWS_ACCESS_KEY_ID",
    "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "aws_session_token": "AWS_SESSION_TOKEN",
    "region_name": "AWS_DEFAULT_REGION",
}


def client(
    service: str, environ: Mapping[str, str], config: Config, endpoint_url: str | None, region: str | None = None
) -> Any:
    """Make a client with the keys and the region of an environment.

    Where it names none, they are found as by every AWS client: in a file that the process is told of, or by a role.
    ``region`` goes before that of the environment.

    Raises:
        Misconfigured: the secret key is too short to be masked.

    """
    given = {option: environ[name] for option, name in _NAMES.items() if environ.get(name)}
    session: Any = boto3.session.Session(**given)
    if type(keys := session.get_credentials()) is Credentials:  # not those of a role, which change
        masking.hide({"the secret key for AWS": (keys.secret_key, keys.token or "")})
    where = region or session.region_name or "us-east-1"
    made = session.client(service, region_name=where, endpoint_url=endpoint_url, config=config)
    # botocore offers no other way: these are the classes of all its pools, those of proxies too. Its own read answers
    # to "Expect: 100-continue" by themselves; http.client passes them over as well.
    pools = limited({"http": HTTPConnectionPool, "https": HTTPSConnectionPool})
    made._endpoint.http_session._pool_classes_by_scheme.update(pools)
    return made
