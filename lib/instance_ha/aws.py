"""Clients of AWS, and of what speaks like it (Ceph RGW, Swift's s3api), with limits for a whole exchange."""

from typing import Any

import boto3
from botocore.config import Config

from instance_ha.http_limits import POOLS


def client(service: str, endpoint_url: str | None, config: Config, region: str | None = None) -> Any:
    """Make a client, with the keys that every client of AWS finds."""
    session: Any = boto3.session.Session()
    where = region or session.region_name or "us-east-1"
    made = session.client(service, region_name=where, endpoint_url=endpoint_url, config=config)
    # botocore offers no other way: these are the classes of all its pools, those of proxies too.
    made._endpoint.http_session._pool_classes_by_scheme.update(POOLS)
    return made
