"""What goes wrong in a play, but for the cloud."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Faults:
    """What goes wrong with events and invocations; what goes wrong in the cloud is told to the cloud."""

    # {breakpoint, nth, everything, but}: that invocation, or all there are but those of some functions
    kill: list[dict[str, Any]] = field(default_factory=list)
    freeze: list[dict[str, Any]] = field(default_factory=list)  # {breakpoint, nth, seconds}
    tasks: list[str] = field(default_factory=list)  # what a task that is a URL answers, one after the other
    # {do: lose|double|delay, function, nth|every, seconds}; seconds: until the second delivery, or the only one
    events: list[dict[str, Any]] = field(default_factory=list)
    # {nth, to, answer, after}; after: the report is taken, and its answer replaced
    reports: list[dict[str, Any]] = field(default_factory=list)
    clocks: list[dict[str, Any]] = field(default_factory=list)  # {function, nth, ahead}: a machine's clock
    bucket: list[dict[str, Any]] = field(default_factory=list)  # {do: gone|lossy, from, to}
    sinks: list[dict[str, Any]] = field(default_factory=list)  # {sink, do: away|slow|refuse, from, to, seconds, match}
    database: list[dict[str, Any]] = field(default_factory=list)  # {nth, do: cut|cut_in_commit|kill|kill_after}
    ticks: list[dict[str, Any]] = field(default_factory=list)  # {function, nth, do: miss|late|twice}
    # {seed, pauses, jitter}: a random order, pauses so likely, and events so many seconds late at most
    schedule: dict[str, Any] = field(default_factory=dict)
