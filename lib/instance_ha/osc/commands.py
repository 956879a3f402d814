"""What the commands have in common: the API, options, and how values are shown."""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from cliff.columns import FormattableColumn
from osc_lib.command import command
from osc_lib.exceptions import CommandError

from instance_ha import durations
from instance_ha.models.errors import InstanceHAError
from instance_ha.osc.api import Api

Columns = tuple[str, ...]
Table = tuple[Columns, list[tuple[Any, ...]]]
Record = tuple[Columns, tuple[Any, ...]]


class AsksApi(command.Command):
    """A command of ours; ``example`` is what stands after ``openstack ha`` in its help."""

    example = ""

    @cached_property
    def api(self) -> Api:
        """The API."""
        return Api(self.app.client_manager.sdk_connection.instance_ha)

    def get_epilog(self) -> str:
        """Return what its help ends with."""
        return f"Example: openstack ha {self.example}"


class Lister(AsksApi, command.Lister):
    """A command that shows a table; ``exit_code`` says what is in it to scripts."""

    exit_code = 0

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Show the table."""
        return int(super().run(parsed_args)) or self.exit_code


class ShowOne(AsksApi, command.ShowOne):
    """A command that shows one thing."""


class Lines(FormattableColumn[Any]):
    """A list with a line for each item; for programs it is the list as the API has it."""

    def __init__(self, value: Any, line: Callable[[Any], str] = str) -> None:
        super().__init__(value)
        self._line = line

    def human_readable(self) -> str:
        """Return the lines."""
        return "\n".join(self._line(item) for item in self._value or ())


class Count(FormattableColumn[Any]):
    """A list of which people see how long it is, and programs all of it."""

    def human_readable(self) -> str:
        """Return the number; None is none known."""
        return "not known" if self._value is None else str(len(self._value))


def table(columns: Columns, items: Iterable[Mapping[str, Any]]) -> Table:
    """Return these columns of what the API has listed."""
    return columns, [tuple(item[column] for column in columns) for item in items]


def record(item: Mapping[str, Any]) -> Record:
    """Return all that the API tells of one thing."""
    return tuple(item), tuple(item.values())


def add_paging(parser: argparse.ArgumentParser) -> None:
    """Add the options of a list that is the newest first."""
    parser.add_argument("--limit", metavar="<number>", type=int, help="Show so many at most, the newest first")
    parser.add_argument("--marker", metavar="<id>", type=int, help="Show those that come after the one with this id")


def paging(parsed_args: argparse.Namespace) -> dict[str, Any]:
    """Return what they ask of the API."""
    return {"limit": parsed_args.limit, "marker": parsed_args.marker}


def add_notification(parser: argparse.ArgumentParser) -> None:
    """Add the recovery that a command is about."""
    parser.add_argument("notification", metavar="<notification>", help="uuid of the notification")


def add_long(parser: argparse.ArgumentParser) -> None:
    """Add the option for more columns."""
    parser.add_argument("--long", action="store_true", help="Show more columns")


def add_reason(parser: argparse.ArgumentParser) -> None:
    """Add the reason that is kept with a decision."""
    parser.add_argument(
        "--reason", metavar="<text>", required=True, help="Why; it is kept with your user's name and id (required)"
    )


def duration(text: str) -> int:
    """Read a duration, such as 90m or 1h30m, in whole seconds, as a type of argparse."""
    try:
        return int(durations.seconds(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def for_each(names: Sequence[str], what: str, act: Callable[[str], None]) -> None:
    """Do something to each of several things, whatever becomes of the others.

    Raises:
        CommandError: it has not worked for some; the text names them and says why.

    """
    troubles = []
    for name in names:
        try:
            act(name)
        except InstanceHAError as error:
            troubles.append(f"{what} {name}: {error}")
    if troubles:
        raise CommandError("\n".join(troubles))
