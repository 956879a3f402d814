"""``instance-ha tick``: what a scheduler of one's own runs, where ticks need the token of the secret cron-token."""

import argparse
from pathlib import Path
from typing import Any

from instance_ha.command import shell
from instance_ha.models.errors import CloudUnavailable, Misconfigured
from instance_ha.posting import NotAnswered, Poster
from instance_ha.settings import PREFIX, SECRETS, Settings

_TIMEOUT = 70.0  # seconds: a tick works for 50
_CONNECT_TIMEOUT = 10.0


def register(subparsers: Any) -> None:
    """Add the command."""
    meaning = "call a scheduled function, with the token of the secret cron-token"
    parser = shell.add(subparsers, "tick", meaning, tick, example="tick http://gateway.openfaas:8080/function/sweep")
    parser.add_argument(
        "url", metavar="URL", help="of the function, such as http://gateway.openfaas:8080/function/sweep"
    )


def tick(options: argparse.Namespace) -> int:
    """Send a tick and wait until it has been worked off; of the settings only the folder of secrets is used."""
    folder = Path(options.environ.get(f"{PREFIX}SECRETS_DIR") or str(Settings.model_fields["secrets_dir"].default))
    try:
        token = (folder / SECRETS["cron_token"]).read_text().splitlines()[0].strip()
    except (OSError, IndexError):
        raise Misconfigured(f"there is no token in {folder / SECRETS['cron_token']}") from None
    try:
        response = Poster(_CONNECT_TIMEOUT).post(options.url, b"", {"Authorization": f"Bearer {token}"}, _TIMEOUT)
    except NotAnswered as error:
        raise CloudUnavailable(f"{options.url} does not answer: {error}") from None
    if response.status != 204:
        raise CloudUnavailable(f"{options.url} answered {response.status}")
    return 0
