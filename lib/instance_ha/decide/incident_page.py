"""The account of an outage as a page of Markdown, for a ticket or a report."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from instance_ha.models.incident import Ended, Incident, InstanceOutage, Moment
from instance_ha.models.text import counted

_WORDS = {
    Ended.AGENT: "guest agent",
    Ended.ACTIVE: "active",
    Ended.LASTS: "**lasts**",
    Ended.DID_NOT_RUN: "did not run",
    Ended.NOT_KNOWN: "not known",
}


def markdown(incident: Incident) -> str:
    """Write the page; what is not known is written as such."""
    return "\n".join(_page(incident)) + "\n"


def _page(incident: Incident) -> Iterator[str]:
    totals, message = incident.totals, f". {_text(incident.message)}" if incident.message else ""
    yield f"# Incident: {incident.host or 'a host that is not registered any more'}, {incident.type}"
    yield ""
    yield f"Notification {incident.notification_uuid}: {incident.status}{message}"
    yield ""
    yield (
        f"{counted(totals.instances, 'instance')}: {totals.over} were out of service and are back, "
        f"{totals.lasting} are not back, "
        f"{totals.did_not_run} did not run, {totals.not_known} not known; {totals.left_out} left out. "
        f"Outages that are over: {totals.outage:.0f} s in all."
    )
    yield ""
    yield from _table(("step", "at (UTC)", "after", "by"), [_moment(one) for one in incident.moments])
    if incident.spreads:
        yield ""
        heads = ["seconds", "instances", "50 %", "90 %", "99 %", "longest"]
        lines = [(one.part, str(one.count), *_all(one.p50, one.p90, one.p99, one.longest)) for one in incident.spreads]
        yield from _table(heads, lines)
    if incident.instances:
        yield ""
        heads = ["instance", "to", "planned", "asked", "moved", "restored", "outage, s", "over by"]
        yield from _table(heads, [_instance(one) for one in incident.instances])
    if incident.failures:
        yield ""
        yield "## Failed attempts"
        yield ""
        for one in incident.failures:
            where = f" on {_text(one.host)}" if one.host else ""
            yield f"- {_time(one.at)} {_text(one.instance_name)}{where}: {_text(one.reason)}"
    if incident.left_out:
        yield ""
        yield "## Left on the host"
        yield ""
        yield from (f"- {_text(one)}" for one in incident.left_out)


def _moment(one: Moment) -> tuple[str, ...]:
    after = "" if one.after is None else f"{one.after:+.1f} s"
    return one.name, "not known" if one.at is None else f"{one.at:%Y-%m-%d %H:%M:%S}", after, one.by


def _instance(one: InstanceOutage) -> tuple[str, ...]:
    times = one.planned_at, one.asked_at, one.moved_at, one.rested_at
    outage = "" if one.outage is None else f"{one.outage:.1f}"
    return one.instance_name, one.dest_host or "", *map(_time, times), outage, _WORDS[one.ended]


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for line in lines:
        yield f"| {' | '.join(_text(cell) for cell in line)} |"


def _text(cell: str) -> str:
    """Keep the words of others in their cell."""
    return " ".join(cell.split()).replace("|", "\\|")


def _all(*seconds: float) -> tuple[str, ...]:
    return tuple(f"{one:.1f}" for one in seconds)


def _time(at: datetime | None) -> str:
    return "" if at is None else f"{at:%H:%M:%S}"
