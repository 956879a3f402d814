"""``openstack ha approve``, ``deny``, ``approval list`` and ``decision list``: held recoveries."""

import argparse
from typing import Any

from instance_ha.models.gates import ApprovalVerdict
from instance_ha.osc.commands import (
    Lines,
    Lister,
    Record,
    ShowOne,
    Table,
    add_notification,
    add_paging,
    add_reason,
    paging,
    record,
    table,
)


class _Decide(ShowOne):
    """Say something of a recovery that is held."""

    verdict: ApprovalVerdict

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the arguments."""
        parser = super().get_parser(prog_name)
        add_notification(parser)
        add_reason(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Record:
        """Say it."""
        about = {"notification_uuid": parsed_args.notification, "reason": parsed_args.reason}
        made = self.api.create("approvals", "approval", verdict=self.verdict, **about)
        return record(made | {"gates": Lines(made["gates"])})


class Approve(_Decide):
    """Approve a recovery that gates hold, so that it goes on.

    It opens the gates that hold it now, whatever they see later. It does not stand in for evidence: a host that is not
    proven dead is confirmed with "ha evidence confirm".
    """

    verdict = ApprovalVerdict.APPROVE
    example = 'approve 5f0c9a0e-4c1b-4b5e-9a3f-0d7c52f0a6c4 --reason "rack 7 has burnt down"'


class Deny(_Decide):
    """Deny a recovery that is held, so that it ends; what was changed of its host is given back.

    There is no way back: a failure that was denied has to be reported again.
    """

    verdict = ApprovalVerdict.DENY
    example = 'deny 5f0c9a0e-4c1b-4b5e-9a3f-0d7c52f0a6c4 --reason "a switch is being replaced"'


class _OfRecovery(Lister):
    """A list that may be narrowed to one recovery."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the arguments."""
        parser = super().get_parser(prog_name)
        only = "uuid of a notification: only about its recovery"
        parser.add_argument("--notification", metavar="<notification>", help=only)
        add_paging(parser)
        return parser

    def page(self, noun: str, parsed_args: argparse.Namespace) -> list[dict[str, Any]]:
        """Read it."""
        return self.api.page(noun, notification_uuid=parsed_args.notification, **paging(parsed_args))


class ListApproval(_OfRecovery):
    """List what operators have said of held recoveries, the newest first."""

    example = "approval list --limit 10"

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """List them."""
        found = self.page("approvals", parsed_args)
        columns = ("id", "created_at", "notification_uuid", "verdict", "gates", "reason", "actor")
        return table(columns, [one | {"gates": Lines(one["gates"])} for one in found])


class ListDecision(_OfRecovery):
    """List what gates have decided over recoveries, the newest first: the decision log."""

    example = "decision list --notification 5f0c9a0e-4c1b-4b5e-9a3f-0d7c52f0a6c4"

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """List them."""
        columns = ("id", "decided_at", "notification_uuid", "attempt", "gate", "verdict", "reason")
        return table(columns, self.page("decisions", parsed_args))
