"""What purge reads: which rows go, and where they are archived before."""

from pydantic import Field

from instance_ha.settings.part import Count, Part, Seconds


class PurgeSettings(Part):
    """What purge reads: which rows go, and where they are archived before."""

    purge_age_in_days: int = Field(
        30,
        ge=-1,
        le=36500,
        description="Age from which the schedule purges rows; -1: it does not, only a request does.",
    )
    purge_max_rows: Count = Field(-1, ge=-1, description="Most rows of one scheduled purge; -1: all.")
    purge_batch: int = Field(500, ge=1, le=10000, description="Rows that are archived and deleted at once.")
    archive_bucket: str | None = Field(
        None, description="Bucket that purged rows are written to before; none: nowhere."
    )
    archive_prefix: str = Field("instance-ha/", description="What the names of archived objects begin with.")
    archive_endpoint_url: str | None = Field(
        None, description="Where S3 is, if not at AWS: Ceph RGW, Swift's s3api. Keys as for every AWS client."
    )
    archive_timeout: Seconds = Field(15, gt=0, description="Time limit of one request to the bucket.")
