"""``openstack ha policy show`` and ``policy set``: what the recoveries of a segment need and may do."""

import argparse

from instance_ha.models.evidence import EvidenceKind, LocalDisk
from instance_ha.models.fencing import FencePolicy
from instance_ha.models.gates import Mode
from instance_ha.models.returns import ReturnPolicy
from instance_ha.osc.commands import AsksApi, Lines, Record, ShowOne, record

_CHOICES = {
    "mode": (Mode, "What recoveries do by themselves: nothing, nothing before an approval, or all"),
    "fence": (FencePolicy, "Whether the power of a failed host is cut before its instances are evacuated"),
    "local_disk": (LocalDisk, "What becomes of instances whose disk is lost with their host"),
    "returns": (ReturnPolicy, "Who brings recovered hosts back"),
}


class ShowPolicy(ShowOne):
    """Show the policy of a segment."""

    example = "policy show rack7"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("segment", metavar="<segment>", help="Name or uuid of a segment")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Record:
        """Show it."""
        found = self.api.show("policies", self.api.segment(parsed_args.segment))
        return record(found | {"dead_when": Lines(found["dead_when"], ",".join)})


class SetPolicy(AsksApi):
    """Change the policy of a segment; recoveries that are held are checked by it at once."""

    example = "policy set rack7 --mode approve --dead-when service_down,power_off --dead-when service_down,confirmed"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("segment", metavar="<segment>", help="Name or uuid of a segment")
        for name, (kind, meaning) in _CHOICES.items():
            parser.add_argument(f"--{name.replace('_', '-')}", choices=[str(choice) for choice in kind], help=meaning)
        together = (
            f"Kinds of evidence that prove a host dead together, of: {', '.join(EvidenceKind)} (repeat for another set)"
        )
        parser.add_argument("--dead-when", metavar="<kind>[,<kind>...]", action="append", help=together)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Change it."""
        given = {name: value for name in _CHOICES if (value := getattr(parsed_args, name)) is not None}
        if parsed_args.dead_when:
            given["dead_when"] = [kinds.split(",") for kinds in parsed_args.dead_when]
        self.api.change("policies", self.api.segment(parsed_args.segment), "policy", given)
