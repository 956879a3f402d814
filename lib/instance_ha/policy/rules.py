"""The rules and their defaults; ``oslopolicy-sample-generator --namespace instance-ha`` reads them too."""

from collections.abc import Iterator

from oslo_policy import policy

PREFIX = "os_masakari_api:"
OURS = "instance-ha:"  # begins the rules of what Masakari has not
_ADMIN = "rule:admin_api"
_LIST, _ITEM = "/segments", "/segments/{segment_id}"
_NOTIFICATIONS = "/notifications"
_NOTIFICATION = "/notifications/{notification_id}"

_OPERATIONS = (
    ("segments:index", "List segments.", "GET", _LIST),
    ("segments:detail", "Show a segment.", "GET", _ITEM),
    ("segments:create", "Create a segment.", "POST", _LIST),
    ("segments:update", "Change a segment.", "PUT", _ITEM),
    ("segments:delete", "Delete a segment with its hosts.", "DELETE", _ITEM),
    ("os-hosts:index", "List the hosts of a segment.", "GET", f"{_ITEM}/hosts"),
    ("os-hosts:detail", "Show a host.", "GET", f"{_ITEM}/hosts/{{host_id}}"),
    ("os-hosts:create", "Register a host.", "POST", f"{_ITEM}/hosts"),
    ("os-hosts:update", "Change a host.", "PUT", f"{_ITEM}/hosts/{{host_id}}"),
    ("os-hosts:delete", "Delete a host.", "DELETE", f"{_ITEM}/hosts/{{host_id}}"),
    ("notifications:index", "List notifications.", "GET", _NOTIFICATIONS),
    ("notifications:detail", "Show a notification and the progress of its recovery.", "GET", _NOTIFICATION),
    ("notifications:create", "Report a failure.", "POST", _NOTIFICATIONS),
    ("vmoves:index", "List the vmoves of a notification.", "GET", f"{_NOTIFICATION}/vmoves"),
    ("vmoves:detail", "Show a vmove.", "GET", f"{_NOTIFICATION}/vmoves/{{vmove_id}}"),
    ("purge:run", "Purge old rows.", "POST", "/x-instance-ha/purge"),
    ("extensions:index", "List the parts of the API.", "GET", "/extensions"),
    ("extensions:detail", "Show a part of the API.", "GET", "/extensions/{alias}"),
)
# What decides over a recovery is apart from what reports a failure: the user of a monitor, who is an administrator in
# most clouds, may do none of it.
_OPERATOR, _WITNESS = "rule:instance_ha_operator", "rule:instance_ha_operator or role:instance_ha_witness"
_EVIDENCE, _POLICY = "/x-instance-ha/evidence", "/x-instance-ha/policies/{segment_id}"
_PAUSES, _APPROVALS = "/x-instance-ha/pauses", "/x-instance-ha/approvals"
_READINESS = "/x-instance-ha/readiness"
_RETURNS = "/x-instance-ha/returns"
_OF_OURS = (
    ("pauses:index", _ADMIN, "List pauses.", "GET", _PAUSES),
    ("pauses:create", _OPERATOR, "Begin a pause.", "POST", _PAUSES),
    ("pauses:delete", _OPERATOR, "End a pause.", "DELETE", f"{_PAUSES}/{{pause_id}}"),
    ("approvals:index", _ADMIN, "List what operators have said of held recoveries.", "GET", _APPROVALS),
    ("approvals:create", _OPERATOR, "Approve or deny a held recovery.", "POST", _APPROVALS),
    ("decisions:index", _ADMIN, "List what gates have decided.", "GET", "/x-instance-ha/decisions"),
    ("readiness:index", _ADMIN, "List what segments would survive.", "GET", _READINESS),
    (
        "readiness:detail",
        _ADMIN,
        "Show what a segment would survive, host by host.",
        "GET",
        f"{_READINESS}/{{segment_id}}",
    ),
    ("returns:index", _ADMIN, "List returns of hosts.", "GET", _RETURNS),
    ("returns:detail", _ADMIN, "Show the return of a host.", "GET", f"{_RETURNS}/{{return_id}}"),
    ("returns:create", _OPERATOR, "Bring a recovered host back.", "POST", _RETURNS),
    ("returns:delete", _OPERATOR, "Stop the return of a host.", "DELETE", f"{_RETURNS}/{{return_id}}"),
    (
        "host-guards:detail",
        "rule:admin_api or role:service or role:instance_ha_witness",
        "Ask whether the nova-compute of a host may start.",
        "GET",
        "/x-instance-ha/host-guards/{host}",
    ),
    ("policies:detail", _ADMIN, "Show the policy of a segment.", "GET", _POLICY),
    ("policies:update", _OPERATOR, "Change the policy of a segment.", "PUT", _POLICY),
    ("evidence:index", _ADMIN, "List evidence about hosts.", "GET", _EVIDENCE),
    ("evidence:create", _WITNESS, "Add evidence about a host.", "POST", _EVIDENCE),
    (
        "evidence:confirm",
        _OPERATOR,
        "Confirm that a host is dead; `evidence:create` is needed, too.",
        "POST",
        _EVIDENCE,
    ),
    (
        "explanations:detail",
        _ADMIN,
        "Explain a recovery by all that was written down of it.",
        "GET",
        "/x-instance-ha/explanations/{notification_id}",
    ),
    (
        "incidents:detail",
        _ADMIN,
        "Account for an outage, by instance and in all.",
        "GET",
        "/x-instance-ha/incidents/{notification_id}",
    ),
    ("plans:create", _ADMIN, "Say what a recovery would do; nothing is changed.", "POST", "/x-instance-ha/plans"),
)
_DISCOVERABLE = ("segments", "os-hosts", "notifications", "vmoves", "extensions")


def whole_name(rule: str) -> str:
    """Return the name of a rule with its prefix; routes leave that of Masakari out."""
    return rule if rule.startswith(OURS) else f"{PREFIX}{rule}"


def list_rules() -> Iterator[policy.RuleDefault]:
    """Return all rules."""
    yield policy.RuleDefault("context_is_admin", "role:admin", "Whose requests are an administrator's.")
    yield policy.RuleDefault(
        "admin_or_owner", "is_admin:True or project_id:%(project_id)s", "Used by no rule; kept for old policy files."
    )
    yield policy.RuleDefault("admin_api", "is_admin:True", "What most rules ask for.")
    for name, description, method, path in _OPERATIONS:
        yield policy.DocumentedRuleDefault(
            f"{PREFIX}{name}", _ADMIN, description, [{"method": method, "path": f"/v1{path}"}]
        )
    yield policy.RuleDefault(
        "instance_ha_operator", "role:instance_ha_operator", "Who may decide over recoveries: no user of a monitor's."
    )
    for name, check, description, method, path in _OF_OURS:
        yield policy.DocumentedRuleDefault(
            f"{OURS}{name}", check, description, [{"method": method, "path": f"/v1{path}"}]
        )
    for part in _DISCOVERABLE:
        yield policy.RuleDefault(f"{PREFIX}{part}:discoverable", _ADMIN, f"Whether /extensions lists {part}.")
    yield policy.RuleDefault(f"{PREFIX}versions:index", "@", "Kept for old policy files: anybody may read versions.")
    yield policy.RuleDefault(f"{PREFIX}versions:discoverable", "@", "Whether /extensions lists versions.")
