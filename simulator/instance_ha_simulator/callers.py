"""Those who call our API in a play: monitors, and operators."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from instance_ha_simulator.simulation import Simulation
from instance_ha_simulator.tables import Tables

_RETURNS = "/v1/x-instance-ha/returns"
_PAUSES = "/v1/x-instance-ha/pauses"
_APPROVALS = "/v1/x-instance-ha/approvals"


class NotServedError(Exception):
    """The API has refused what an operator has asked for."""


class Callers:
    """Calls the API; ``tell`` takes a line of the log, ``names`` are those of instances, by their ids."""

    def __init__(
        self, simulation: Simulation, tables: Tables, names: Mapping[str, str], tell: Callable[[str], None]
    ) -> None:
        self._simulation, self._tables, self._names, self._tell = simulation, tables, names, tell
        self.segments: dict[str, str] = {}  # uuids, by their names
        self.notifications: list[str] = []
        self.reported: dict[str, str] = {}  # the last notification of each host
        self.answers: list[Any] = []  # to the scenario's own requests
        self.answered = 0  # reports, returns and purges, whatever the answer was
        self._paused = "none"  # the last pause

    def register(self, segments: Mapping[str, Any]) -> None:
        """Create segments, with their hosts and their policies."""
        for segment, about in segments.items():
            body = {"name": segment, "service_type": "COMPUTE", "recovery_method": about.get("method", "auto")}
            created = self._get("api-segments", "/v1/segments", {"segment": body})["segment"]
            self.segments[segment] = created["uuid"]
            if policy := about.get("policy"):
                self.change_policy({"segment": segment, "change": policy})
            reserved = about.get("reserved", [])
            for host in [*about["hosts"], *reserved]:
                self._add_host(segment, host, reserved=host in reserved)

    def reserve_host(self, name: str) -> None:
        """Add a reserved host to the first segment."""
        self._add_host(next(iter(self.segments)), name, reserved=True)

    def _add_host(self, segment: str, name: str, *, reserved: bool) -> None:
        values = {"name": name, "type": "COMPUTE", "control_attributes": "SSH", "reserved": reserved}
        self._get("api-hosts", f"/v1/segments/{self.segments[segment]}/hosts", {"host": values})

    def _get(self, function: str, path: str, body: dict[str, Any], method: str = "POST") -> Any:
        """Return what the API answers; raises NotServedError when it refuses."""
        answer = self._simulation.request(function, method, path, body)
        if answer.status_code >= 300:
            said = answer.get_data(as_text=True)
            raise NotServedError(f"{method} {path} was answered by {answer.status_code} {said}")
        return answer.get_json()

    def ask(self, about: Mapping[str, Any]) -> int:
        """Send a request to the API, whatever it answers; returns the status of the answer."""
        path = about["path"].replace("NOTIFICATION", self.notifications[-1] if self.notifications else "")
        answer = self._simulation.request(about["function"], about.get("method", "GET"), path, about.get("body"))
        self.answers.append(answer.get_json(silent=True))
        self._tell(f"answered {answer.status_code}")
        return int(answer.status_code)

    def notify(self, about: str | dict[str, Any]) -> int:
        """Report a host by its name, or what ``about`` says: a ``process`` or an ``instance`` of a host.

        Returns the status of the answer.
        """
        about = {"host": about} if isinstance(about, str) else about
        answer = self._simulation.request(
            "api-notifications", "POST", "/v1/notifications", {"notification": self._report(about)}
        )
        if answer.status_code == 202:
            uuid = answer.get_json()["notification"]["notification_uuid"]
            self.notifications.append(uuid)
            self.reported[about["host"]] = uuid
        self.answered += 1
        self._tell(f"answered {answer.status_code}")
        return int(answer.status_code)

    def _report(self, about: Mapping[str, Any]) -> dict[str, Any]:
        if "process" in about:
            kind, payload = "PROCESS", {"event": "STOPPED", "process_name": about["process"]}
        elif "instance" in about:
            instance = next(uuid for uuid, name in self._names.items() if name == about["instance"])
            event = about.get("event", "LIFECYCLE")
            kind, payload = "VM", {"event": event, "vir_domain_event": "STOPPED_FAILED", "instance_uuid": instance}
        else:
            kind = "COMPUTE_HOST"
            payload = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"}
        now = self._simulation.scheduler.now().replace(tzinfo=None).isoformat()
        payload |= about.get("payload", {})
        return {"type": kind, "hostname": about["host"], "generated_time": now, "payload": payload}

    def change_segment(self, name: str, *, enabled: bool) -> None:
        """Enable or disable a segment."""
        self._get("api-segments", f"/v1/segments/{self.segments[name]}", {"segment": {"enabled": enabled}}, "PUT")

    def change_policy(self, about: Mapping[str, Any]) -> None:
        """Change the policy of a segment."""
        path = f"/v1/x-instance-ha/policies/{self.segments[about['segment']]}"
        self._get("api-notifications", path, {"policy": about["change"]}, "PUT")

    def pause(self, about: Mapping[str, Any]) -> None:
        """Pause a host, a segment, or the cloud."""
        until = self._simulation.scheduler.now() + timedelta(seconds=about["seconds"])
        pause = {"scope": "cloud", "reason": "works on it", "until": until.isoformat()}
        if host := about.get("host"):
            pause |= {"scope": "host", "host": host}
        elif segment := about.get("segment"):
            pause |= {"scope": "segment", "segment_uuid": self.segments[segment]}
        self._paused = self._get("api-notifications", _PAUSES, {"pause": pause})["pause"]["uuid"]

    def end_pause(self) -> None:
        """End the last pause."""
        self.ask({"function": "api-notifications", "method": "DELETE", "path": f"{_PAUSES}/{self._paused}"})

    def approve(self, host: str, verdict: str) -> None:
        """Approve or deny the recovery of a host's last report, whatever the API answers."""
        uuid = self.reported.get(host, "none")
        approval = {"notification_uuid": uuid, "verdict": verdict, "reason": "the operator says so"}
        self._post(_APPROVALS, {"approval": approval})

    def return_host(self, about: Mapping[str, Any]) -> None:
        """Ask for the return of a host, whatever the API answers."""
        self._post(_RETURNS, {"return": about})
        self.answered += 1

    def _post(self, path: str, body: dict[str, Any]) -> None:
        self.ask({"function": "api-notifications", "method": "POST", "path": path, "body": body})

    def stop_return(self) -> None:
        """Stop the newest return."""
        newest = self._tables.returns()[-1]["uuid"]
        self.ask({"function": "api-notifications", "method": "DELETE", "path": f"{_RETURNS}/{newest}"})

    def purge(self, about: Mapping[str, Any]) -> None:
        """Have old rows purged; the purge may be killed, too."""
        try:
            answer = self._simulation.request("purge", "POST", "/v1/x-instance-ha/purge", {"purge": about})
            shown = answer.get_json().get("purge") or answer.get_json()
            self._tell(f"answered {answer.status_code} {shown}")
        finally:
            self.answered += 1
