"""What purge reads: which rows go, and where they are archived before."""

from pydantic import Field

from instance_ha.settings.part import Count, Part, Seconds


class PurgeSettings(Part):
    """What purge reads: which rows go, and where they are archived before."""

    purge_age_in_days: int = Field(
        30,
        ge=-1,
        le=36500,
        description="Age from which rows are purged by the schedule; -1: only on request.",
    )
    purge_max_rows: Count = Field(-1, ge=-1, description="Most rows of one scheduled purge; -1: all.")
    purge_batch: int = Field(500, ge=1, le=10000, description="Rows that are archived and deleted at once.")
    archive_bucket: str | None = Field(
        None, description="Bucket in which rows are archived before they are purged; not set: they are not archived."
    )
    archive_prefix: str = Field("instance-ha/", description="Prefix of the names of archived objects.")
    archive_endpoint_url: str | None = Field(
        None, description="URL of S3, if not AWS: Ceph RGW, Swift's s3api. Keys as for every AWS client."
    )
    archive_timeout: Seconds = Field(15, gt=0, description="Time limit of one request to the bucket.")
