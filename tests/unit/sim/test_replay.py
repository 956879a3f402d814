"""Nothing of a cloud is left in what is replayed from it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instance_ha.models.enums import (
    Flow,
    NotificationStatus,
    NotificationType,
    RecoveryMethod,
    TaskState,
    VMoveStatus,
)
from instance_ha.models.evidence import SegmentPolicy
from instance_ha.models.gates import Approval, ApprovalVerdict, Mode, Pause, Scope
from instance_ha.models.rows import Host, InstanceFacts, Notification, Segment, TaskRow, VMove
from instance_ha.models.uuids import HostUuid, InstanceUuid, NotificationUuid, SegmentUuid, VMoveUuid
from instance_ha.settings import Settings
from instance_ha_simulator.folder.read import read
from instance_ha_simulator.replay.recording import Handled, Recording
from instance_ha_simulator.replay.story import Story, tell
from instance_ha_simulator.replay.write import write

BEGAN = datetime(2031, 7, 19, 2, 13, 55, tzinfo=UTC)
# Names as clouds have them, which no word of a scenario contains.
NAMES = st.text("ΩäQXZ0123456789.-_ ", min_size=5, max_size=20).map(lambda text: f"Q{text}Z")


class Cloud:
    """Draws names, and remembers them."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.names: set[str] = set()

    def name(self) -> str:
        made = self.data.draw(NAMES.filter(lambda name: not any(name in other for other in self.names)))
        self.names.add(made)
        return made

    def one(self, *choices: Any) -> Any:
        return self.data.draw(st.sampled_from(choices))

    def after(self) -> datetime:
        return BEGAN + timedelta(seconds=self.data.draw(st.floats(0, 5000)))

    def message(self) -> str:
        pattern = self.one(
            "host {} is up again, what is left stays on it",
            "the instance was deleted",
            "Nova could not evacuate it: No valid host was found for {}",
            "Nova could not evacuate it: Insufficient compute resources on {}",
            "segment {} is disabled: nothing is recovered in it",
            "the instance is {}: it is left to its owner",
            "{}",
        )
        return str(pattern).format(self.name())

    def host(self, number: int, segment: str) -> Host:
        return Host(
            id=number,
            created_at=BEGAN,
            uuid=HostUuid(self.name()),
            name=self.name(),
            type="COMPUTE",
            control_attributes=self.name(),
            failover_segment_id=SegmentUuid(segment),
            reserved=self.one(True, False),
        )

    def move(self, number: int, notification: str, host: Host, others: list[str]) -> VMove:
        started = self.one(None, self.after())
        return VMove(
            id=number,
            created_at=BEGAN,
            uuid=VMoveUuid(self.name()),
            notification_uuid=NotificationUuid(notification),
            instance_uuid=InstanceUuid(self.name()),
            instance_name=self.name(),
            source_host=host.name,
            dest_host=self.one(None, *others),
            failed_host=self.one(None, self.name(), *others),
            start_time=started,
            end_time=self.one(None, started and started + timedelta(seconds=9)),
            status=self.one(*VMoveStatus),
            message=self.one(None, self.message()),
            facts=InstanceFacts(vm_state=self.one("active", "paused"), ha_enabled=self.one(True, False)),
        )

    def handled(self, number: int, host: Host, others: list[str]) -> Handled:
        uuid = self.name()
        payload = {
            "event": self.one("STOPPED", self.name()),
            "host_status": self.one("NORMAL", self.name()),
            "process_name": self.one("nova-compute", self.name()),
            self.name(): self.name(),
        }
        notification = Notification(
            id=number,
            created_at=self.after(),
            updated_at=self.after(),
            notification_uuid=NotificationUuid(uuid),
            generated_time=BEGAN,
            source_host_uuid=host.uuid,
            type=self.one(*NotificationType),
            payload=payload,
            instance_uuid=InstanceUuid(self.name()),
            status=self.one(*NotificationStatus),
            message=self.one(None, self.message()),
            request_id=self.name(),
        )
        line = {"timestamp": "2031-07-19 02:13:55.123456", "progress": "0.1", "message": self.name()}
        task = TaskRow(
            id=1,
            notification_uuid=NotificationUuid(uuid),
            attempt=1,
            position=0,
            flow=Flow.HOST_AUTO,
            name=self.one("DisableComputeServiceTask", "StopInstanceTask", self.name()),
            state=TaskState.SUCCESS,
            details=[line, line],
        )
        moves = [self.move(n, uuid, host, others) for n in range(self.data.draw(st.integers(0, 3)))]
        said = Approval(
            created_at=BEGAN + timedelta(seconds=90),
            notification_uuid=notification.notification_uuid,
            verdict=self.one(*ApprovalVerdict),
            reason=self.name(),
            actor=self.name(),
        )
        return Handled(
            notification, moves, [task], [said], reserved_before=self.one(True, False), taken=frozenset({host.uuid})
        )

    def recording(self) -> Recording:
        uuid = self.name()
        segment = Segment(
            id=1,
            created_at=BEGAN,
            uuid=SegmentUuid(uuid),
            name=self.name(),
            service_type=self.name(),
            recovery_method=self.one(*RecoveryMethod),
            description=self.name(),
        )
        hosts = [self.host(number, uuid) for number in range(self.data.draw(st.integers(1, 3)))]
        others = [host.name for host in hosts]
        reports = range(1, self.data.draw(st.integers(2, 3)))
        policy = SegmentPolicy(segment_uuid=segment.uuid, mode=self.one(*Mode), actor=self.name())
        handled = [self.handled(number, self.one(*hosts), others) for number in reports]
        return Recording(handled, segment, policy, hosts, [self.pause(segment, self.one(*hosts))])

    def pause(self, segment: Segment, host: Host) -> Pause:
        scope = self.one(*Scope)
        return Pause(
            uuid=self.name(),
            created_at=BEGAN - timedelta(seconds=60),
            scope=scope,
            segment_uuid=segment.uuid if scope is Scope.SEGMENT else None,
            host_uuid=host.uuid if scope is Scope.HOST else None,
            reason=self.name(),
            until=BEGAN + timedelta(seconds=60),
            actor=self.name(),
            ended_by=self.name(),
        )


@given(st.data())
def test_nothing_of_the_cloud_is_in_the_folder_and_it_can_be_read(data: st.DataObject) -> None:
    cloud = Cloud(data)
    recording = cloud.recording()
    settings = Settings.model_validate(
        {
            "database_url": "postgresql://QXsecretZ",
            "trigger_sink": "http://QXsinkZ",
            "force_down": cloud.one(True, False),
        }
    )
    with TemporaryDirectory() as own:
        folder = Path(own) / "recording"
        write(tell(recording, settings), folder)
        written = "".join(path.read_text() for path in folder.iterdir()) + str(read(folder))
    left = {name for name in {*cloud.names, "QXsecretZ", "QXsinkZ", "2031-07", "02:13"} if name in written}
    assert left == set()


def test_a_folder_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        write(Story({}, {}), tmp_path)


def test_a_recovery_that_has_not_ended_promises_no_end_and_may_try_again() -> None:
    host = Host(
        id=1,
        created_at=BEGAN,
        uuid=HostUuid("h"),
        name="real-host",
        type="COMPUTE",
        control_attributes="SSH",
        failover_segment_id=SegmentUuid("s"),
    )
    segment = Segment(
        id=1,
        created_at=BEGAN,
        uuid=SegmentUuid("s"),
        name="real-segment",
        service_type="COMPUTE",
        recovery_method=RecoveryMethod.AUTO,
    )
    notification = Notification(
        id=1,
        created_at=BEGAN,
        notification_uuid=NotificationUuid("n"),
        generated_time=BEGAN,
        source_host_uuid=host.uuid,
        type=NotificationType.COMPUTE_HOST,
        payload={"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"},
        status=NotificationStatus.ERROR,
    )
    handled = Handled(notification, [], [], [], reserved_before=False, taken=frozenset())
    policy = SegmentPolicy(segment_uuid=segment.uuid)
    settings = Settings.model_validate({"database_url": "postgresql://x"})
    world = tell(Recording([handled], segment, policy, [host], []), settings).world
    assert "at_the_end" not in world
    assert world["asked_again"] > 100
