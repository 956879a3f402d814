"""A scenario that tells a recorded outage again: the same reports, hosts and instances, under new names."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from instance_ha.models.enums import NotificationType, VMoveStatus
from instance_ha.models.evidence import SegmentPolicy
from instance_ha.models.gates import Pause
from instance_ha.models.rows import Host, InstanceFacts, VMove
from instance_ha.settings import Settings
from instance_ha.settings.monitoring import MonitoringSettings

from instance_ha_simulator.cloud.model import POWER_STATES
from instance_ha_simulator.replay.courses import DELETED, IS_BACK, courses
from instance_ha_simulator.replay.names import Names
from instance_ha_simulator.replay.recording import Handled, Recording

_FIRST_REPORT = 10.0  # second
_DIES_BEFORE = 5.0  # seconds before its report
_NEVER = 1e6  # seconds
_ANY_TIMES = 1000
_SEGMENT = "segment-1"
_POLICY = ("mode", "local_disk")  # what of a segment's policy needs no evidence that the rows do not tell
_COMPUTE = "nova-compute"
_PAYLOAD_WORDS = frozenset({"STOPPED", "STARTED", "NORMAL", "UNKNOWN", "ONLINE", "OFFLINE"})
_VM_EVENTS = frozenset({"LIFECYCLE", "IO_ERROR", "QEMU_GUEST_AGENT_ERROR"})
_LEFT_TO_ITS_OWNER = re.compile(r"the instance is (\w+): it is left to its owner")
_NOT_WANTED = re.compile(r"left alone: no metadata")
_ALIVE = re.compile(r"is alive: its nova-compute went on reporting")
_DISABLED = re.compile(r"^segment .* is disabled|segment was disabled meanwhile")


class Story(NamedTuple):
    """What world.yaml and faults.yaml of the scenario say."""

    world: dict[str, Any]
    faults: dict[str, Any]


def tell(recording: Recording, settings: Settings) -> Story:
    """Write the scenario."""
    return _Teller(recording, settings).story()


class _Teller:
    def __init__(self, recording: Recording, settings: Settings) -> None:
        self._recording, self._settings = recording, settings
        self._began = recording.handled[0].notification.created_at
        self._hosts: Names[str] = Names("host")
        self._instances: Names[str] = Names("vm")
        for host in recording.hosts:
            _ = self._hosts[host.name]

    def story(self) -> Story:
        handled = self._recording.handled
        moves = sorted((move for one in handled for move in one.vmoves), key=lambda move: move.id)
        evacuations = list(courses(moves, self._instances.__getitem__, self._hosts.__getitem__))
        instances = self._running(moves)
        world: dict[str, Any] = {
            "settings": _numbers(self._settings),
            "cloud": self._cloud(),
            "segments": {_SEGMENT: self._segment()},
            "hosts": {name: {"instances": instances.get(name, [])} for name in self._hosts.all()},
            "disabled": self._reserved(),
            "happenings": sorted(self._happenings(), key=lambda happening: float(happening["at"])),
            "limit": self._limit(),
            "asked_again": self._again(evacuations),
            "stay": self._staying(moves),
        }
        if at_the_end := self._end(moves):
            world["at_the_end"] = at_the_end
        return Story({key: value for key, value in world.items() if value}, {"evacuations": evacuations})

    def _at(self, time: datetime, before: float = 0.0) -> float:
        """Return the second of a time, or of so many seconds before it."""
        return max(0.0, round((time - self._began).total_seconds() + _FIRST_REPORT - before, 2))

    def _cloud(self) -> dict[str, Any]:
        """Say when Nova called the first dead host down, and how long stops and starts took."""
        options: dict[str, Any] = {"report_interval": 1.0}
        dead = [one for one in self._recording.handled if self._dies(one)]
        if dead and not self._settings.force_down:
            waited = dead[0].duration("DisableComputeServiceTask")
            if waited is None:
                options["service_down_time"] = _NEVER
            elif waited <= self._settings.wait_period_after_service_update:  # else it was held there
                options["service_down_time"] = round(waited + _DIES_BEFORE, 1)
        for option, task in (("stop_seconds", "StopInstanceTask"), ("start_seconds", "ConfirmInstanceActiveTask")):
            lasted = [seconds for one in self._recording.handled if (seconds := one.duration(task)) is not None]
            if lasted:
                options[option] = max(0.1, round(lasted[0], 1))
        return options

    def _segment(self) -> dict[str, Any]:
        reserved = self._reserved()
        hosts = [name for host in self._recording.hosts if (name := self._hosts[host.name]) not in reserved]
        about: dict[str, Any] = {"method": str(self._recording.segment.recovery_method), "hosts": hosts}
        usual, policy = SegmentPolicy(segment_uuid=self._recording.segment.uuid), self._recording.policy
        changed = {name: str(value) for name in _POLICY if (value := getattr(policy, name)) != getattr(usual, name)}
        about |= {"policy": changed} if changed else {}
        return about | ({"reserved": reserved} if reserved else {})

    def _reserved(self) -> list[str]:
        """Name the hosts that were reserved at the beginning: those that still are, and those that were taken."""
        taken = {uuid for one in self._recording.handled for uuid in one.taken}
        taken |= {one.notification.source_host_uuid for one in self._recording.handled if one.reserved_before}
        return [self._hosts[host.name] for host in self._recording.hosts if host.reserved or host.uuid in taken]

    def _running(self, moves: list[VMove]) -> Mapping[str, list[dict[str, Any]]]:
        """List the instances of each host, as they were when it failed."""
        found: dict[str, list[dict[str, Any]]] = {}
        first: dict[str, VMove] = {}
        for move in moves:
            first.setdefault(move.instance_uuid, move)
        for host in {move.source_host: None for move in first.values()}:
            here = [move for move in first.values() if move.source_host == host]
            found[self._hosts[host]] = [
                {"name": self._instances[move.instance_uuid]} | state
                for move, state in zip(here, _states([move.facts for move in here]), strict=True)
            ]
        for one in self._recording.handled:
            self._add_reported(one, found, first)
        return found

    def _add_reported(self, one: Handled, found: dict[str, list[dict[str, Any]]], first: Mapping[str, VMove]) -> None:
        """Add an instance that was reported itself, and was on no host that failed."""
        uuid = one.notification.instance_uuid
        host = self._hosts[self._host(one).name]
        if one.notification.type is not NotificationType.VM or uuid is None or uuid in first:
            return
        message = one.notification.message or ""
        state = _LEFT_TO_ITS_OWNER.search(message)
        about = {"name": self._instances[uuid], "ha": not _NOT_WANTED.search(message)}
        if state is not None and state[1] in POWER_STATES:
            about["vm_state"] = state[1]
        if about["name"] not in {instance["name"] for group in found.values() for instance in group}:
            found.setdefault(host, []).append(about)

    def _host(self, one: Handled) -> Host:
        return self._recording.host(one.notification.source_host_uuid)

    def _happenings(self) -> Iterator[dict[str, Any]]:
        yield from map(self._pause, self._recording.pauses)
        yield from (
            {"at": self._at(said.created_at), str(said.verdict): self._hosts[self._host(one).name]}
            for one in self._recording.handled
            for said in one.approvals
        )
        dead: set[str] = set()
        for one in self._recording.handled:
            host, reported = self._hosts[self._host(one).name], one.notification.created_at
            if self._dies(one) and host not in dead:
                dead.add(host)
                yield {"at": self._at(reported, _DIES_BEFORE), "kill_host": host}
            yield {"at": self._at(reported), "notify": self._report(one, host)}
            if _DISABLED.search(one.notification.message or ""):
                yield {"at": self._at(self._disabled_at(one)), "disable_segment": _SEGMENT}
            back = [move.end_time for move in one.vmoves if move.end_time and IS_BACK.search(move.message or "")]
            if back:
                yield {"at": self._at(min(back), 1.0), "start_host": host}
        deleted = {
            self._instances[move.instance_uuid]: move.end_time
            for one in self._recording.handled
            for move in one.vmoves
            if move.message == DELETED and move.end_time
        }
        yield from ({"at": self._at(at, 0.5), "delete_server": name} for name, at in deleted.items())

    def _pause(self, pause: Pause) -> dict[str, Any]:
        """Tell a pause with its end, whether it came by itself or an operator has ended it."""
        at = self._at(pause.created_at)
        about: dict[str, Any] = {"seconds": max(1.0, self._at(pause.ended_at or pause.until) - at)}
        if pause.host_uuid is not None:
            about["host"] = self._hosts[self._recording.host(pause.host_uuid).name]
        elif pause.segment_uuid is not None:
            about["segment"] = _SEGMENT
        return {"at": at, "pause": about}

    def _disabled_at(self, one: Handled) -> datetime:
        """Say when the segment was disabled: as soon as something was not begun any more."""
        ends = [move.end_time for move in one.vmoves if move.end_time and move.start_time is None]
        return min(ends, default=one.ended or one.notification.created_at)

    def _dies(self, one: Handled) -> bool:
        """Say whether the host was dead, as it was reported to be, or went on reporting to Nova."""
        notification = one.notification
        is_reported = (
            notification.type is NotificationType.COMPUTE_HOST and notification.payload.get("event") == "STOPPED"
        )
        return is_reported and not _ALIVE.search(notification.message or "")

    def _report(self, one: Handled, host: str) -> str | dict[str, Any]:
        notification = one.notification
        payload = {key: value for key, value in notification.payload.items() if value in _PAYLOAD_WORDS}
        if notification.type is NotificationType.PROCESS:
            known = notification.payload.get("process_name") == _COMPUTE
            return {"host": host, "process": _COMPUTE if known else "another", "payload": payload}
        if notification.type is NotificationType.VM:
            event = notification.payload.get("event", "").upper()
            instance = self._instances[str(notification.instance_uuid)]
            return {"host": host, "instance": instance, "event": event if event in _VM_EVENTS else "LIFECYCLE"}
        return {"host": host, "payload": payload}

    def _again(self, evacuations: list[dict[str, Any]]) -> int:
        """Say how often an instance may be evacuated once more: nobody knows of a recovery that has not ended."""
        if any(one.ended is None for one in self._recording.handled):
            return _ANY_TIMES
        return max(Counter(course["instance"] for course in evacuations).values(), default=1) - 1

    def _limit(self) -> float:
        ends = [self._at(one.ended) for one in self._recording.handled if one.ended]
        return round(2 * max(ends, default=0.0) + 3600)

    def _staying(self, moves: list[VMove]) -> list[str]:
        last = {move.instance_uuid: move.status for move in moves}
        return [self._instances[uuid] for uuid, status in last.items() if status is not VMoveStatus.SUCCEEDED]

    def _end(self, moves: list[VMove]) -> dict[str, Any]:
        if any(one.ended is None for one in self._recording.handled):
            return {}
        statuses = [str(one.notification.status) for one in self._recording.handled]
        last = {self._instances[move.instance_uuid]: str(move.status) for move in moves}
        return {"notifications": statuses} | ({"vmoves": last} if last else {})


def _states(facts: list[InstanceFacts]) -> Iterator[dict[str, Any]]:
    """Describe the instances of a host so that they are evacuated in this order."""
    wanted = [one.ha_enabled for one in facts]
    is_usual = wanted == sorted(wanted, reverse=True)
    for position, one in enumerate(facts):
        about: dict[str, Any] = {"vm_state": one.vm_state} if one.vm_state != "active" else {}
        about |= {"task_state": one.task_state} if one.task_state else {}
        about |= {"power_state": one.power_state} if one.power_state != POWER_STATES.get(one.vm_state) else {}
        about |= {"ha": True} if one.ha_enabled else {}
        about |= {"locked": True} if one.locked else {}
        about |= {} if is_usual else {"metadata": {"HA_Priority": str(len(facts) - position)}}
        yield about


def _numbers(settings: Settings) -> dict[str, bool | int | float]:
    """Return the settings that are not as usual, but for texts: those may name something."""
    usual = {name: field.default for name, field in Settings.model_fields.items()}
    values = {name: getattr(settings, name) for name in usual if name not in MonitoringSettings.model_fields}
    return {
        name: value for name, value in values.items() if isinstance(value, bool | int | float) and value != usual[name]
    }
