"""A bucket behind the S3 protocol: AWS, Ceph RGW, Swift's s3api."""

from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from instance_ha.models.errors import ArchiveUnavailable
from instance_ha.settings import Settings

_MISSING = frozenset({"NoSuchKey", "404"})


class Bucket:
    """Reads and writes whole objects."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bucket = settings.archive_bucket

    @cached_property
    def _client(self) -> Any:
        settings = self._settings
        session: Any = boto3.session.Session()
        own = settings.archive_endpoint_url is not None
        config = Config(
            connect_timeout=settings.archive_timeout,
            read_timeout=settings.archive_timeout,
            retries={"total_max_attempts": 2},
            # Others than AWS know neither buckets as host names nor the checksums that newer clients add.
            s3={"addressing_style": "path" if own else "auto"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        region = session.region_name or "us-east-1"
        return session.client("s3", region_name=region, endpoint_url=settings.archive_endpoint_url, config=config)

    def read(self, key: str) -> bytes | None:
        """Return an object, None if there is none.

        Raises:
            ArchiveUnavailable: the bucket cannot be asked.

        """
        try:
            return bytes(self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read())
        except ClientError as error:
            if _code(error) in _MISSING:
                return None
            raise self._away(_code(error)) from None
        except BotoCoreError as error:
            raise self._away(type(error).__name__) from None

    def write(self, key: str, data: bytes) -> None:
        """Store an object.

        Raises:
            ArchiveUnavailable: it was not stored.

        """
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data)
        except ClientError as error:
            raise self._away(_code(error)) from None
        except BotoCoreError as error:
            raise self._away(type(error).__name__) from None

    def _away(self, reason: str) -> ArchiveUnavailable:
        return ArchiveUnavailable(f"the bucket {self._bucket} cannot be used: {reason}")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
