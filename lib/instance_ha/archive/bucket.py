"""A bucket behind the S3 protocol: AWS, Ceph RGW, Swift's s3api."""

from collections.abc import Callable, Mapping
from contextlib import closing
from functools import cached_property
from typing import Any, TypeVar

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from instance_ha import aws
from instance_ha.http_limits import within
from instance_ha.models.errors import ArchiveUnavailable, TimeIsUp
from instance_ha.settings import Settings

T = TypeVar("T")

_MISSING = frozenset({"NoSuchKey", "404"})


class Bucket:
    """Writes whole objects, and reads them back."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._environ = environ
        self._bucket = settings.archive_bucket

    @cached_property
    def _client(self) -> Any:
        settings = self._settings
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
        return aws.client("s3", self._environ, config, settings.archive_endpoint_url)

    def holds(self, key: str, data: bytes) -> bool:
        """Say whether an object is there and is exactly this; no more of it is read than that takes.

        Raises:
            ArchiveUnavailable: the bucket cannot be asked.

        """

        def read() -> bool:
            try:
                body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
            except ClientError as error:
                if _code(error) in _MISSING:
                    return False
                raise
            with closing(body):
                return bool(body.read(len(data) + 1) == data)

        return self._ask(read)

    def write(self, key: str, data: bytes) -> None:
        """Store an object.

        Raises:
            ArchiveUnavailable: it was not stored.

        """
        self._ask(lambda: self._client.put_object(Bucket=self._bucket, Key=key, Body=data))

    def _ask(self, work: Callable[[], T]) -> T:
        try:
            with within(2 * self._settings.archive_timeout):
                return work()
        except ClientError as error:
            reason = _code(error)
        except TimeIsUp:
            reason = "no answer in time"
        except (BotoCoreError, HTTPError) as error:  # urllib3's while a body is read
            reason = type(error).__name__
        raise ArchiveUnavailable(f"the bucket {self._bucket} cannot be used: {reason}")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
