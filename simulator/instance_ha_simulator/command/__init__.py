"""Commands that `instance-ha` has where the simulator is installed: entry points of the group instance_ha.commands."""
