"""FenceHostTask: the power of the failed host is cut, rung by rung of its ladder, before its instances run elsewhere.

Where it is, says the segment's policy. What it does is written down before; a rung goes on in another invocation where
it was left, and no two are ever tried at once.
"""

from dataclasses import replace
from datetime import timedelta

from instance_ha import log
from instance_ha.decide import fencing
from instance_ha.decide import hold as holds
from instance_ha.decide.fencing import Do, Seen
from instance_ha.decide.service import is_up_since
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.enums import TaskState
from instance_ha.models.errors import FenceRefused, FenceUnavailable, Misconfigured
from instance_ha.models.evidence import Evidence, EvidenceKind, Verdict
from instance_ha.models.fencing import FenceAttempt, FenceOutcome, FencePolicy, Rung
from instance_ha.models.metrics import FENCES
from instance_ha.models.ports import FenceMethod, Fences
from instance_ha.models.rows import Notification, TaskRow
from instance_ha.recovery.claim import Claim
from instance_ha.recovery.hold import check_not_denied, go_on
from instance_ha.recovery.live_host import end_for_live_host
from instance_ha.recovery.recovery import Done, Held, NotYet, Outcome, Recovery
from instance_ha.store import evidence, fence_attempts, hosts, policies, segments, tasks


def fence_host(recovery: Recovery, task: TaskRow) -> Outcome:
    """Climb the ladder until the host is off, or no rung is left."""
    return _Climb(recovery, task, *ladder_of(recovery.world.fences, recovery.host.name)).run()


def ladder_of(fences: Fences, host: str) -> tuple[tuple[Rung, ...], str]:
    """Return the ways to cut a host's power, or none, and why there is none."""
    try:
        return fences.ladder(host), fencing.NO_LADDER
    except Misconfigured as error:  # the file was changed since this function has started
        log.get().error("no host can be fenced", reason=str(error))
        return (), str(error)


def reason_not_to_fence(claim: Claim[Notification]) -> str | None:
    """Say why a recovery must not fence its host, by what holds now; None when it may."""
    with claim.read() as connection:
        host = hosts.by_uuid(connection, claim.row.source_host_uuid)
        policy = FencePolicy.NEVER if host is None else policies.of_segment(connection, host.failover_segment_id).fence
    return fencing.forbidden(host, policy, claim.world.settings.never_fenced)


class _Climb:
    """One invocation's share of it."""

    def __init__(self, recovery: Recovery, task: TaskRow, ladder: tuple[Rung, ...], without: str) -> None:
        self._recovery = recovery
        self._task = task
        self._ladder = ladder
        self._without = without  # why there is no rung, or no other one
        self._world = recovery.world
        self._seen = Seen()
        with recovery.claim.read() as connection:
            notification = recovery.notification
            self._attempts = fence_attempts.of_attempt(connection, notification.notification_uuid, notification.attempt)

    def run(self) -> Outcome:
        """Take step after step; what is to be done next is decided anew each time."""
        confirm = timedelta(seconds=self._world.settings.fence_confirm_interval)
        while True:
            step = fencing.next_step(self._ladder, self._attempts, self._seen, self._world.clock.now(), confirm)
            if step.do is Do.END:
                return self._end(fencing.failures(self._attempts) or self._without)
            if step.do is Do.BEGIN and (reason := self._reason_not_to_begin(step.round)) is not None:
                return self._end(reason)
            if self._recovery.claim.out_of_time:
                return NotYet()
            if step.do is Do.BELIEVE:
                self._believe()
            elif step.do is Do.GIVE_UP:
                self._give_up(step.reason)
            elif step.rung is not None:
                self._ask(step.do, step.rung, step.round)

    def _reason_not_to_begin(self, number: int) -> str | None:
        """Say why no rung is begun in a round, by what holds now; None when one is."""
        reason = reason_not_to_fence(self._recovery.claim) or self._shared_machine()
        if reason is not None or (number == 1 and not self._is_late()):
            return reason
        host = self._recovery.host
        service = self._recovery.nova.service(host.name)
        with self._recovery.claim.read() as connection:
            policy = policies.of_segment(connection, host.failover_segment_id).fence
            enabled = segments.is_enabled(connection, host.failover_segment_id)
            known = evidence.fresh(connection, host.uuid, self._world.clock.now())
        confirmed = _is_confirmed(holds.about(known, self._recovery.notification))
        if number == 1:
            return fencing.reason_not_to_begin_late(service, confirmed=confirmed)
        again = fencing.reason_not_to_climb_again(policy, service, confirmed=confirmed, enabled=enabled)
        return None if again is None else f"{fencing.failures(self._attempts)}; {again}"

    def _shared_machine(self) -> str | None:
        """Say which other host's power would be cut, too, or instead."""
        with self._recovery.claim.read() as connection:
            registered = hosts.names(connection)
        other = self._world.fences.shared(registered).get(self._recovery.host.name)
        return None if other is None else fencing.SHARED.format(other)

    def _is_late(self) -> bool:
        """Say whether Nova would long call the host down, were it dead: the recovery was held, or had to wait."""
        patience = timedelta(seconds=self._world.settings.wait_period_after_service_update)
        return self._world.clock.now() - self._recovery.notification.created_at > patience

    def _ask(self, do: Do, rung: Rung, number: int) -> None:
        if do is Do.BEGIN:
            self._begin(rung, number)
        elif do is Do.ASK:
            self._change(asked_at=self._world.clock.now(), answer=None)
            self._world.breakpoint(Breakpoint.FENCE_RECORDED)
            self._off(rung)
        elif do is Do.READ:
            self._read(rung)
        self._recovery.claim.pause()

    def _begin(self, rung: Rung, number: int) -> None:
        recovery, now = self._recovery, self._world.clock.now()
        with recovery.claim.transaction() as connection:
            check_not_denied(recovery.claim, connection)
            begun = fence_attempts.begin(connection, recovery.notification, recovery.host, rung, number, now)
            text = f"Cutting the power of host {recovery.host.name} by {rung.name}"
            tasks.add_progress(connection, self._task, now, [(0.0, text)])
        self._attempts, self._seen = [*self._attempts, begun], Seen()
        self._world.breakpoint(Breakpoint.FENCE_RECORDED)
        self._off(rung)

    def _off(self, rung: Rung) -> None:
        """Ask for off, which was written down."""
        try:
            answer = self._method(rung).off()
            self._seen = replace(self._seen, accepted=answer == "accepted", is_on=False)
        except FenceUnavailable as error:
            answer = f"no answer: {error}"
            self._seen = replace(self._seen, accepted=False, is_on=False, trouble=str(error))
        except FenceRefused as error:
            answer = f"refused: {error}"
            self._seen = replace(self._seen, refused=str(error))
        log.get().info("power off requested", host=self._recovery.host.name, method=rung.name, answer=answer)
        self._world.breakpoint(Breakpoint.FENCE_REQUESTED)
        self._change(answer=answer)

    def _read(self, rung: Rung) -> None:
        try:
            power = self._method(rung).power()
            self._seen = replace(self._seen.read(power, self._world.clock.now()), trouble=None)
        except FenceUnavailable as error:
            self._seen = replace(self._seen, trouble=str(error))
        except FenceRefused as error:
            self._seen = replace(self._seen, refused=str(error))

    def _method(self, rung: Rung) -> FenceMethod:
        """Return the method, to be asked under a lease that outlasts the question."""
        self._recovery.claim.cover(self._world.settings.fence_timeout)
        return self._world.fences.method(self._recovery.host.name, rung, self._world.clock.now())

    def _believe(self) -> None:
        """Write down that the host is off, as evidence."""
        recovery, rung, now = self._recovery, self._open, self._world.clock.now()
        lasts = timedelta(seconds=self._world.settings.notifications_expired_interval)
        seen = Evidence(
            host_uuid=recovery.host.uuid,
            kind=EvidenceKind.POWER_OFF,
            verdict=Verdict.DEAD,
            source=f"{rung.method} at {rung.address}"[:255],
            seen_at=now,
            valid_until=now + lasts,
            detail={
                "asked_at": str(rung.asked_at),
                "answer": rung.answer or "",
                "off_since": str(self._seen.off_since),
            },
            notification_uuid=recovery.notification.notification_uuid,
        )
        with recovery.claim.transaction() as connection:
            ended = fence_attempts.change(connection, rung, outcome=FenceOutcome.OFF, ended_at=now)
            evidence.add(connection, [seen])
        self._count(ended)
        log.get().info("host fenced", host=recovery.host.name, method=rung.method, address=rung.address)
        self._world.breakpoint(Breakpoint.HOST_FENCED)

    def _give_up(self, reason: str) -> None:
        recovery, rung, now = self._recovery, self._open, self._world.clock.now()
        with recovery.claim.transaction() as connection:
            ended = fence_attempts.change(connection, rung, outcome=FenceOutcome.FAILED, ended_at=now, reason=reason)
            text = f"{rung.method} at {rung.address} has failed: {reason}"
            tasks.add_progress(connection, self._task, now, [(0.0, text)])
        self._count(ended)
        log.get().warning(
            "fence failed", host=recovery.host.name, method=rung.method, address=rung.address, reason=reason
        )
        self._world.breakpoint(Breakpoint.FENCE_FAILED)

    def _is_back(self) -> bool:
        """Say whether the host, which is not fenced any more then, has gone on to report after it was reported."""
        service = self._recovery.nova.service(self._recovery.host.name)
        return service is not None and is_up_since(service, self._recovery.notification.created_at)

    @property
    def _open(self) -> FenceAttempt:
        return next(one for one in self._attempts if one.outcome is None)

    def _change(self, **values: object) -> None:
        with self._recovery.claim.transaction() as connection:
            changed = fence_attempts.change(connection, self._open, **values)
        self._replace(changed)

    def _count(self, ended: FenceAttempt) -> None:
        self._world.metrics.count(FENCES, method=ended.method, outcome=str(ended.outcome))
        self._replace(ended)

    def _replace(self, changed: FenceAttempt) -> None:
        self._attempts = [changed if one.id == changed.id else one for one in self._attempts]

    def _end(self, reason: str) -> Outcome:
        """Go on with the recovery of a host that is off; of another one only where the policy lets it."""
        recovery, name, now = self._recovery, self._recovery.host.name, self._world.clock.now()
        if fencing.is_fenced(self._attempts):
            go_on(recovery.claim)
            recovery.progress(self._task, 1.0, f"The power of host {name} is off", TaskState.SUCCESS)
            return Done()
        with recovery.claim.read() as connection:
            policy = policies.of_segment(connection, recovery.host.failover_segment_id).fence
            known = holds.about(evidence.fresh(connection, recovery.host.uuid, now), recovery.notification)
        if policy is FencePolicy.REQUIRED and not _is_confirmed(known):
            if self._is_back():
                return end_for_live_host(recovery, self._task)
            again_at = fencing.again_at(self._attempts)
            return Held(holds.not_fenced(name, reason, now, again_at if again_at and again_at > now else None))
        go_on(recovery.claim)
        log.get().warning("host not fenced", host=name, reason=reason)
        recovery.progress(self._task, 1.0, f"Host {name} was not fenced: {reason}", TaskState.SUCCESS)
        return Done()


def _is_confirmed(known: list[Evidence]) -> bool:
    """Say whether a person answers for the failure of the host."""
    return any(one.kind is EvidenceKind.CONFIRMED and one.verdict is Verdict.DEAD for one in known)
