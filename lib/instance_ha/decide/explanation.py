"""Why a recovery is where it is: five questions in their order, each answered by the rows that were written."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from instance_ha.decide.evidence import Missing, Proven, Refuted, decide, how_to_get, refuted
from instance_ha.decide.hold import about
from instance_ha.decide.outcome import LeftOut, latest, tally
from instance_ha.decide.service import ServiceBefore
from instance_ha.decide.witnesses import failed_at
from instance_ha.models.enums import FINAL_NOTIFICATION, NotificationStatus, NotificationType, TaskState, VMoveStatus
from instance_ha.models.evidence import Evidence, SegmentPolicy
from instance_ha.models.fencing import FenceAttempt, FenceOutcome
from instance_ha.models.gates import Approval, ApprovalVerdict, GateDecision
from instance_ha.models.rows import Host, Notification, Segment, TaskRow, VMove
from instance_ha.models.text import counted, names_in_words, values_in_words

_MOST = 50  # rows behind one answer
_SERVICE_TASK, _PLAN_TASK = "DisableComputeServiceTask", "PrepareHAEnabledInstancesTask"


class Reply(StrEnum):
    """What a question comes to."""

    YES = "yes"
    NO = "no"
    NOT_YET = "not_yet"
    NOT_ASKED = "not_asked"  # the recovery has no use for it


@dataclass(frozen=True)
class Because:
    """One row behind an answer."""

    at: datetime
    text: str
    table: str
    id: int


@dataclass(frozen=True)
class Question:
    """One question, its answer in a word and in a sentence, and the rows behind it in the order of time."""

    question: str
    answer: Reply
    text: str
    because: tuple[Because, ...] = ()


@dataclass(frozen=True)
class Rows:
    """What was written down of a recovery."""

    notification: Notification
    host: Host | None  # None: it is not registered any more
    segment: Segment | None
    policy: SegmentPolicy | None
    evidence: Sequence[Evidence]
    fences: Sequence[FenceAttempt]
    tasks: Sequence[TaskRow]
    moves: Sequence[VMove]
    left_out: LeftOut
    service: ServiceBefore | None  # of the host, before it was changed
    decisions: Sequence[GateDecision]
    approvals: Sequence[Approval]

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will be done."""
        return self.notification.status in FINAL_NOTIFICATION

    def has_worked(self, task: str) -> bool:
        """Whether a task has come to its end in one of the attempts."""
        return any(row.name == task and row.state is TaskState.SUCCESS for row in self.tasks)


@dataclass(frozen=True)
class Explanation:
    """The answers, what is waited for, and what ends the wait."""

    questions: tuple[Question, ...]
    waits_for: str | None


def explain(rows: Rows, now: datetime) -> Explanation:
    """Answer the five questions of a recovery."""
    questions = (_may_act(rows), _is_dead(rows, now), _plan(rows), _worked(rows), _cost(rows))
    return Explanation(questions, _waits_for(rows, now))


def _waits_for(rows: Rows, now: datetime) -> str | None:
    row = rows.notification
    if rows.has_ended:
        return None
    if row.held_since is not None:
        return row.message
    if row.status is NotificationStatus.ERROR and row.due_at is not None:
        return f"the next attempt, at {row.due_at:%Y-%m-%d %H:%M:%S} UTC: {row.message}"
    running = next((task for task in rows.tasks if task.state is TaskState.RUNNING), None)
    if running is not None and running.details:
        return f"{running.name}: {row.message or running.details[-1]['message']}"
    return row.message or ("its turn" if row.due_at is None or row.due_at > now else "the function that recovers it")


def _may_act(rows: Rows) -> Question:
    """Answer whether anything may be done: not while the segment is disabled, or when the report asks for nothing."""
    question, row = "May we act at all?", rows.notification
    reported = Because(row.created_at, f"reported: {values_in_words(row.payload)}", "notifications", row.id)
    because = (reported, *_in_time([*map(_of_decision, rows.decisions), *map(_of_approval, rows.approvals)]))
    if rows.host is None or rows.segment is None:
        return Question(question, Reply.NO, "the host or its segment is not registered any more", because)
    if row.attempt:
        began = f"the recovery has begun: {row.attempt} attempt{'s' if row.attempt > 1 else ''}"
        return Question(question, Reply.YES, began, because)
    if rows.has_ended:
        return Question(question, Reply.NO, row.message or "it has ended before it began", because)
    if not rows.segment.enabled:
        return Question(question, Reply.NO, f"segment {rows.segment.name} is disabled", because)
    if row.held_since is not None:
        return Question(question, Reply.NOT_YET, row.message or "it is held", because)
    return Question(question, Reply.NOT_YET, "nothing has begun it", because)


def _is_dead(rows: Rows, now: datetime) -> Question:
    """Answer by the evidence; a host that was proven dead stays so for this recovery, unless it shows signs of life."""
    question, row = "Is the host dead?", rows.notification
    if row.type is not NotificationType.COMPUTE_HOST:
        return Question(question, Reply.NOT_ASKED, f"a failure of type {row.type} says nothing of the host")
    known = [one for one in rows.evidence if one.seen_at >= failed_at(row) or one.kind == "reported"]
    because = _in_time([*(_of_evidence(one) for one in known), *_of_fences(rows.fences)])
    if rows.has_worked(_SERVICE_TASK) or any(move.start_time is not None for move in rows.moves):
        alive = None if rows.has_ended else refuted(about(rows.evidence, row), now)
        if alive is not None:
            since = f"it was proven dead, and has shown signs of life since by {_kinds(alive.by)}"
            return Question(question, Reply.NO, since, because)
        return Question(question, Reply.YES, "it was proven dead before its instances were evacuated", because)
    if rows.policy is None:
        return Question(question, Reply.NOT_YET, "there is no policy to decide by", because)
    decision = decide(about(rows.evidence, row), rows.policy.dead_when, now)
    if rows.has_ended:
        return Question(question, Reply.NO, "the recovery has ended before it was proven", because)
    if isinstance(decision, Proven):
        return Question(question, Reply.YES, f"proven by {_kinds(decision.by)}", because)
    if isinstance(decision, Refuted):
        return Question(question, Reply.NO, f"it shows signs of life by {_kinds(decision.by)}", because)
    assert isinstance(decision, Missing)
    return Question(question, Reply.NOT_YET, f"not proven; it is when {how_to_get(decision)}", because)


def _plan(rows: Rows) -> Question:
    """Answer what is done with the instances, as far as that was planned."""
    question = "What would we do?"
    if rows.notification.type is not NotificationType.COMPUTE_HOST:
        tasks = ", then ".join(task.name for task in rows.tasks) or "nothing yet"
        return Question(question, Reply.YES if rows.tasks else Reply.NOT_YET, tasks)
    if not rows.has_worked(_PLAN_TASK) and not rows.moves:
        answer = Reply.NO if rows.has_ended else Reply.NOT_YET
        what_if = f"; openstack ha plan {rows.host.name} shows what would be done now" if rows.host else ""
        return Question(question, answer, f"no instance was planned{what_if}")
    moves = latest(rows.moves)
    planned = f"{counted(len(moves), 'instance')} planned: {names_in_words([move.instance_name for move in moves])}"
    text = "; ".join(filter(None, (planned, rows.left_out.text)))
    because = _in_time(Because(one.created_at, f"planned: {one.instance_name}", "vmoves", one.id) for one in moves)
    return Question(question, Reply.YES, text, because)


def _worked(rows: Rows) -> Question:
    """Answer how it ended, or how far it is; what went wrong comes first."""
    question, row, moves = "Did it work?", rows.notification, latest(rows.moves)
    ended = [move for move in moves if move.end_time is not None]
    ended.sort(key=lambda move: move.status is VMoveStatus.SUCCEEDED)
    because = _in_time([_of_move(move) for move in ended[:_MOST]])
    if rows.has_ended:
        worked = row.status is NotificationStatus.FINISHED
        text = f"{row.status}: {row.message or 'done'}"
        return Question(question, Reply.YES if worked else Reply.NO, text, because)
    text = tally(moves, rows.left_out).text if moves else "nothing was asked for yet"
    return Question(question, Reply.NOT_YET, text, because)


def _cost(rows: Rows) -> Question:
    """Answer how long it took from the report to the first and to the last instance."""
    question, since = "What did it cost?", rows.notification.created_at
    asked = [move.start_time for move in rows.moves if move.start_time is not None]
    back = [move.end_time for move in rows.moves if move.end_time and move.status is VMoveStatus.SUCCEEDED]
    parts = [f"first evacuation begun {(min(asked) - since).total_seconds():.0f} s after the report"] if asked else []
    if back:
        parts.append(f"last instance back after {(max(back) - since).total_seconds():.0f} s")
    failed = sum(move.status is VMoveStatus.FAILED for move in latest(rows.moves))
    parts += [f"{counted(failed, 'instance')} did not come back"] if failed else []
    answer = Reply.YES if rows.has_ended else Reply.NOT_YET
    return Question(question, answer, ", ".join(parts) or "no instance was touched")


def _in_time(because: Iterable[Because]) -> tuple[Because, ...]:
    return tuple(sorted(because, key=lambda one: (one.at, one.id))[-_MOST:])


def _of_decision(one: GateDecision) -> Because:
    why = f": {one.reason}" if one.reason else ""
    saw = f" (saw {values_in_words(one.saw)})" if one.saw else ""
    return Because(one.decided_at, f"gate {one.gate}: {one.verdict}{why}{saw}", "gate_decisions", one.id)


def _of_approval(one: Approval) -> Because:
    said = {ApprovalVerdict.APPROVE: "approved", ApprovalVerdict.DENY: "denied"}[one.verdict]
    opened = f", which opens {', '.join(one.gates)}" if one.gates else ""
    return Because(one.created_at, f"{said} by user {one.actor}: {one.reason}{opened}", "approvals", one.id)


def _of_evidence(one: Evidence) -> Because:
    said = f"{one.kind}: {one.verdict} by {one.source}"
    who = f", said by user {one.actor}" if one.actor else ""
    detail = f" ({values_in_words(one.detail)})" if one.detail else ""
    return Because(one.seen_at, f"{said}{detail}{who}; it counts until {one.valid_until:%H:%M:%S}", "evidence", one.id)


def _of_fences(fences: Iterable[FenceAttempt]) -> Iterator[Because]:
    for one in fences:
        rung = f"{one.method} at {one.address}"
        asked = f"fence by {rung}: off was asked for ({one.answer or 'no answer yet'})"
        yield Because(one.begun_at, asked, "fence_attempts", one.id)
        if one.ended_at is not None:
            became = "the power is off" if one.outcome is FenceOutcome.OFF else f"failed: {one.reason}"
            yield Because(one.ended_at, f"fence by {rung}: {became}", "fence_attempts", one.id)


def _of_move(move: VMove) -> Because:
    where = f" to {move.dest_host}" if move.dest_host else ""
    why = f": {move.message}" if move.message else ""
    assert move.end_time is not None
    return Because(move.end_time, f"{move.instance_name}{where}: {move.status}{why}", "vmoves", move.id)


def _kinds(evidence: Iterable[Evidence]) -> str:
    return ", ".join(sorted({str(one.kind) for one in evidence}))
