"""The settings of the monitors; names and defaults are those of masakarimonitors.conf where it has them."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from instance_ha.settings.part import Count, Part, Seconds

_AGENT = (
    "Consul agent of the {} network: address, address:port or an http(s) URL; not set: that network is not monitored."
)
_ACL = "ACL token for the {} network's agent; also read from the secret `consul-token-{}`."
_CA = "CA file of the {} network's agent; the system's CAs by default."
_CERT = "Client certificate for the {} network's agent."
_KEY = "Key of the client certificate for the {} network's agent."
_TIMEOUT = "Time limit of one request to the {} network's agent."


class MonitoringSettings(Part):
    """What monitor-poll and monitor-guests read (docs/monitoring.md); names are those of masakarimonitors.conf."""

    monitoring_driver: Literal["consul", "kubernetes"] | None = Field(
        None, description="What monitor-poll polls to learn which hosts are down; not set: hosts are not monitored."
    )
    monitoring_interval: Seconds = Field(60, ge=1, description="Pause between two polls of the hosts.")
    monitoring_samples: int = Field(
        1, ge=1, le=100, description="Samples in a row that must say down before a host counts as down."
    )
    down_segment_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Mass-failure guard: when a larger share of a segment's hosts is down at once, none of it is "
        "reported.",
    )
    down_segment_number: Count = Field(
        10,
        ge=1,
        description="Mass-failure guard: when more hosts of a segment are down at once, none of it is reported.",
    )
    down_total_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Mass-failure guard: when a larger share of all hosts is down at once, none is reported.",
    )
    down_total_number: Count = Field(
        20, ge=1, description="Mass-failure guard: when more hosts are down at once, none is reported."
    )
    api_url: str | None = Field(
        None,
        description="Base URL of the instance HA API, as `http://host:port/v1`, where the monitors post notifications; "
        "by default from the service catalog.",
    )
    notification_post_timeout: Seconds = Field(10, gt=0, description="Time limit for posting one notification.")

    consul_agent_manage: str | None = Field(None, description=_AGENT.format("management"))
    consul_agent_tenant: str | None = Field(None, description=_AGENT.format("tenant"))
    consul_agent_storage: str | None = Field(None, description=_AGENT.format("storage"))
    consul_token_manage: SecretStr | None = Field(None, description=_ACL.format("management", "manage"))
    consul_token_tenant: SecretStr | None = Field(None, description=_ACL.format("tenant", "tenant"))
    consul_token_storage: SecretStr | None = Field(None, description=_ACL.format("storage", "storage"))
    consul_ca_file_manage: Path | None = Field(None, description=_CA.format("management"))
    consul_ca_file_tenant: Path | None = Field(None, description=_CA.format("tenant"))
    consul_ca_file_storage: Path | None = Field(None, description=_CA.format("storage"))
    consul_cert_file_manage: Path | None = Field(None, description=_CERT.format("management"))
    consul_cert_file_tenant: Path | None = Field(None, description=_CERT.format("tenant"))
    consul_cert_file_storage: Path | None = Field(None, description=_CERT.format("storage"))
    consul_key_file_manage: Path | None = Field(None, description=_KEY.format("management"))
    consul_key_file_tenant: Path | None = Field(None, description=_KEY.format("tenant"))
    consul_key_file_storage: Path | None = Field(None, description=_KEY.format("storage"))
    consul_timeout_manage: Seconds = Field(5, gt=0, description=_TIMEOUT.format("management"))
    consul_timeout_tenant: Seconds = Field(5, gt=0, description=_TIMEOUT.format("tenant"))
    consul_timeout_storage: Seconds = Field(5, gt=0, description=_TIMEOUT.format("storage"))
    consul_matrix_config_file: Path | None = Field(
        None,
        description="Strategy file (YAML: sequence and matrix): which failed networks lead to a recovery. "
        "By default a failed storage network does.",
    )
    consul_left_is_down: bool = Field(
        False,
        description="A host whose agent has left its cluster (an operator stopped it) counts as down, as in "
        "Masakari; by default that says nothing about the host.",
    )

    kubernetes_config_file: Path | None = Field(
        None, description="kubeconfig; by default the service account of the pod that the function runs in."
    )
    kubernetes_context: str | None = Field(None, description="Context of the kubeconfig; its current one by default.")
    kubernetes_node_labels: str = Field("", description="Label selector of the nodes that are compute hosts.")
    kubernetes_page_size: Count = Field(500, ge=1, description="Nodes in one page of a list from the API server.")
    kubernetes_timeout: Seconds = Field(10, gt=0, description="Time limit of one request to the API server.")
    kubernetes_host_name: str = Field(
        "{name}",
        description="Compute host name of a node: a template of `{name}`, `{short}` (the name up to the first dot), "
        "`{label:KEY}` and `{annotation:KEY}`.",
    )
    kubernetes_not_ready_is_down: bool = Field(
        True,
        description="Ready=False counts as down, as in Masakari. The node's own kubelet says it, so the host runs; "
        "false: only Ready=Unknown is down.",
    )

    guest_monitoring: bool = Field(
        False, description="Whether monitor-guests monitors the guests of all registered hosts."
    )
    guest_monitoring_default: bool = Field(
        True, description="Whether guest agents are pinged if neither the metadata nor the flavor of the instance says."
    )
    guest_monitoring_interval: Seconds = Field(10, ge=1, description="Pause between two pings of a guest.")
    guest_monitoring_timeout: Seconds = Field(2, ge=1, description="Time limit of a ping.")
    guest_monitoring_failure_threshold: Count = Field(
        3, ge=1, description="Pings in a row that a guest must miss before it is reported."
    )
    guest_policy_ttl: Seconds = Field(
        300,
        gt=0,
        description="How long the guest policy of an instance (metadata, flavor) is used before Nova is asked again.",
    )
    libvirt_uri: str = Field(
        "qemu+tls://{host}/system",
        description="URI of a host's libvirt. Without `{host}`, as in `qemu:///system`: only the host that the "
        "function runs on.",
    )
    libvirt_hostname: str | None = Field(
        None, description="Registered name of the host that the function runs on; the machine's name by default."
    )
    libvirt_timeout: Seconds = Field(10, gt=0, description="Time limit for an answer of a host's libvirt.")
    libvirt_parallel: int = Field(16, ge=1, le=256, description="Hosts that are polled at once.")
