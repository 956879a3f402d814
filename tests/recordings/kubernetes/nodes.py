"""The nodes of a recorded cluster, written as kubelets and the node controller write them."""

from typing import Any

from kubernetes import client

_AT = "2026-11-23T03:00:00Z"
_PRESSURES = {
    "MemoryPressure": "KubeletHasSufficientMemory",
    "DiskPressure": "KubeletHasNoDiskPressure",
    "PIDPressure": "KubeletHasSufficientPID",
}
_READY = {
    "True": ("KubeletReady", "kubelet is posting ready status"),
    "False": ("KubeletNotReady", "container runtime is down"),
}
_SILENT = ("NodeStatusUnknown", "Kubelet stopped posting node status.")
_TAINTS = {"Unknown": "node.kubernetes.io/unreachable", "False": "node.kubernetes.io/not-ready"}


class Nodes:
    """The nodes of the API server."""

    def __init__(self, api: "client.CoreV1Api") -> None:
        self._api = api

    def begin(self, *names: str) -> None:
        """Let there be these nodes only, new."""
        for node in self._api.list_node().items:
            self._api.delete_node(node.metadata.name)
        for name in names:
            self._api.create_node({"metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}})

    def report(self, name: str, ready: str) -> None:
        """Write the conditions, and the taints that follow from them."""
        conditions = [
            _condition(kind, "False", reason, f"kubelet has no {kind}") for kind, reason in _PRESSURES.items()
        ] + [_condition("Ready", ready, *_READY.get(ready, _SILENT))]
        if ready == "Unknown":
            conditions = [_condition(each["type"], ready, *_SILENT) for each in conditions]
        addresses = [{"type": "InternalIP", "address": "192.0.2.1"}, {"type": "Hostname", "address": name}]
        status = {
            "addresses": addresses,
            "capacity": {"cpu": "8", "memory": "32Gi", "pods": "110"},
            "conditions": conditions,
        }
        self._api.patch_node_status(name, {"status": status})
        taints = (
            [{"key": _TAINTS[ready], "effect": effect, "timeAdded": _AT} for effect in ("NoSchedule", "NoExecute")]
            if ready in _TAINTS
            else None
        )
        self._api.patch_node(name, {"spec": {"podCIDR": "10.244.1.0/24", "taints": taints}})

    def cordon(self, name: str) -> None:
        """Do what `kubectl cordon` does, and the node controller after it."""
        taints = [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": _AT}]
        self._api.patch_node(name, {"spec": {"unschedulable": True, "taints": taints}})

    def label(self, name: str, key: str, value: str | None) -> None:
        """Set a label; None takes it away."""
        self._api.patch_node(name, {"metadata": {"labels": {key: value}}})


def _condition(kind: str, status: str, reason: str, message: str) -> dict[str, Any]:
    condition = {"type": kind, "status": status, "reason": reason, "message": message}
    return condition | {"lastHeartbeatTime": _AT, "lastTransitionTime": _AT}
