"""How Nova is asked, and what is known of its own settings."""

from typing import Literal

from pydantic import Field

from instance_ha.settings.part import Part, Seconds


class CloudSettings(Part):
    """How Nova is asked, and what is known of its own settings."""

    os_region_name: str | None = Field(None, description="Region of Nova; by default that of the cloud configuration.")
    os_interface: Literal["public", "internal", "admin"] = Field("public", description="Catalog interface of Nova.")
    nova_timeout: Seconds = Field(12, gt=0, description="Time limit of one request to Nova.")
    nova_late_request_limit: Seconds = Field(
        120,
        gt=0,
        description="How long after it was sent Nova may still carry out a request whose answer was lost: "
        "`rpc_response_timeout` of nova.conf (60 s) and the longest wait in front of Nova's API, as `timeout queue` "
        "of HAProxy (60 s in Kolla). No evacuation is requested a second time before. A recovery is checked once "
        "more this long, and a minute, after its end.",
    )
    nova_list_timeout: Seconds = Field(60, gt=0, description="Time limit of one page of a list from Nova.")
    nova_report_interval: Seconds = Field(
        10,
        gt=0,
        description="Nova's own `report_interval`. A failed host is checked once per interval while its instances are "
        "evacuated, and counts as alive after two reports in a row.",
    )
    nova_page_size: int = Field(500, ge=1, le=1000, description="Servers in one page of a list from Nova.")
