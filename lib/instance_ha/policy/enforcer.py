"""Asks oslo.policy; an operator's policy file is read again when it changes."""

from pathlib import Path
from typing import Any

from oslo_config import cfg
from oslo_policy import policy

from instance_ha.models.errors import Forbidden, Misconfigured
from instance_ha.models.rows import Caller
from instance_ha.policy.rules import list_rules, whole_name

READER = Path(__file__).parent / "reader.yaml"


class Policy:
    """The rules in force."""

    def __init__(self, file: str | None) -> None:
        """Read the rules.

        ``file`` is a policy file, ``reader`` the one that comes with us, None the defaults.

        Raises:
            Misconfigured: the file is not there, or no policy.

        """
        conf = cfg.ConfigOpts()
        conf([], default_config_files=[], default_config_dirs=[])
        self._enforcer = policy.Enforcer(conf)
        self._enforcer.register_defaults(list(list_rules()))
        if file is None:
            defaults = {rule.name: rule.check for rule in list_rules()}
            self._enforcer.set_rules(policy.Rules(defaults), use_conf=False)
        else:
            self._read(READER if file == "reader" else Path(file))

    def _read(self, path: Path) -> None:
        if not path.is_file():
            raise Misconfigured(f"the policy file {path} is not there")
        self._enforcer.policy_path = str(path)
        try:
            self._enforcer.load_rules()
            self._enforcer.check_rules(raise_on_violation=True)
        except (cfg.Error, ValueError, AttributeError, policy.InvalidDefinitionError) as error:
            raise Misconfigured(f"the policy file {path} cannot be used: {error}") from None
        for rule in self._enforcer.file_rules.values():  # what oslo.policy cannot read it takes for "nobody"
            if str(rule.check) == "!" and rule.check_str != "!":
                raise Misconfigured(f"the policy file {path} has a rule that makes no sense: {rule.name}")

    def allows(self, caller: Caller, rule: str) -> bool:
        """Say whether a caller may do what a rule is about, such as ``segments:index``."""
        target = {"project_id": caller.project_id, "user_id": caller.user_id}
        who: dict[str, Any] = {**target, "roles": sorted(caller.roles)}
        who["is_admin"] = bool(self._enforcer.enforce("context_is_admin", target, who))
        return bool(self._enforcer.enforce(whole_name(rule), target, who))

    def check(self, caller: Caller, rule: str) -> None:
        """Let only those pass who may.

        Raises:
            Forbidden: the caller may not.

        """
        if not self.allows(caller, rule):
            raise Forbidden(f"Policy doesn't allow {whole_name(rule)} to be performed.")
