"""What the type of a single setting does not say: addresses, and limits that must fit each other."""

from urllib.parse import urlsplit

from instance_ha.models.errors import Misconfigured
from instance_ha.settings.every import Settings
from instance_ha.settings.part import PREFIX


def check(settings: Settings) -> None:
    """Refuse settings that do not fit each other.

    Raises:
        Misconfigured: one line that names the setting and what is wrong with it.

    """
    _check_addresses(settings)
    _check_leases(settings)
    _check_late_requests(settings)


def _check_addresses(settings: Settings) -> None:
    if not settings.database_url.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise Misconfigured("DATABASE_URL must start with postgresql:// (and carry user, host and database name)")
    try:
        _ = urlsplit(settings.database_url.get_secret_value()).port
    except ValueError:
        raise Misconfigured("DATABASE_URL is not a valid URL: is the port a number?") from None
    if settings.trigger_sink and not settings.trigger_sink.startswith(("http://", "https://")):
        raise Misconfigured("INSTANCE_HA_TRIGGER_SINK must be an http:// or https:// URL")
    try:
        _ = settings.sinks
    except ValueError as error:
        raise Misconfigured(f"{PREFIX}EVENT_SINKS: {error}") from None


def _check_leases(settings: Settings) -> None:
    """Refuse a lease that could end during what is done under it; for a request to Nova it is made longer by itself."""
    checks = [
        ("lease_time", "trigger_timeout", settings.trigger_timeout),
        ("lease_time", "verify_interval", settings.verify_interval),
        # A batch of events is sent for a third of its lease; the last one may take its whole limit then.
        ("batch_lease_time", "event_timeout", 1.5 * settings.event_timeout),
    ]
    if settings.archive_bucket:  # of a request as a whole: connecting, and reading
        checks.append(("batch_lease_time", "archive_timeout", 2 * settings.archive_timeout))
    for lease, name, seconds in checks:
        held = getattr(settings, lease)
        if seconds >= held:
            raise Misconfigured(
                f"{PREFIX}{lease.upper()} ({held:g} s) must be longer than the longest time between two renewals:"
                f" {PREFIX}{name.upper()} allows {seconds:g} s"
            )


def _check_late_requests(settings: Settings) -> None:
    """Refuse to ask a second time while the first request is under way, and to give up before that is possible."""
    limit = settings.nova_late_request_limit
    if limit <= settings.nova_timeout:
        raise Misconfigured(
            f"{PREFIX}NOVA_LATE_REQUEST_LIMIT ({limit:g} s) must be longer than a request may last:"
            f" {PREFIX}NOVA_TIMEOUT allows {settings.nova_timeout:g} s"
        )
    if limit >= settings.evacuation_give_up_after:
        raise Misconfigured(
            f"{PREFIX}EVACUATION_GIVE_UP_AFTER ({settings.evacuation_give_up_after:g} s) must be longer than"
            f" {PREFIX}NOVA_LATE_REQUEST_LIMIT ({limit:g} s): a lost evacuation would never be asked for again"
        )
