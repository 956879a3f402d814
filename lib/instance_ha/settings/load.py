"""Reads the settings from the environment and from mounted secret files."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from instance_ha.models.errors import Misconfigured
from instance_ha.settings import checks
from instance_ha.settings.every import SECRETS, Settings
from instance_ha.settings.part import PREFIX

_ALIASES = {"database_url": ("DATABASE_URL",), "trigger_sink": ("K_SINK",)}


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings.

    Raises:
        Misconfigured: one line that names the setting and what is wrong with it.

    """
    values = {name[len(PREFIX) :].lower(): value for name, value in environ.items() if name.startswith(PREFIX)}
    for name in sorted(values):
        if name not in Settings.model_fields:
            raise Misconfigured(f"unknown setting {PREFIX}{name.upper()}: see docs/configuration.md for all names")
    for name, aliases in _ALIASES.items():
        for alias in aliases:
            if environ.get(alias):
                values.setdefault(name, environ[alias])
    _read_secrets(Path(values.get("secrets_dir", str(Settings.model_fields["secrets_dir"].default))), values)
    return _checked(values)


def _read_secrets(folder: Path, values: dict[str, str]) -> None:
    """Add what is mounted; a variable that says otherwise is an error, since nobody could tell which one counts."""
    for name, file in SECRETS.items():
        if not (folder / file).is_file():
            continue
        try:
            mounted = (folder / file).read_text().strip()
        except OSError as error:
            raise Misconfigured(f"the secret {folder / file} cannot be read: {error.strerror}") from None
        if values.setdefault(name, mounted) != mounted:
            raise Misconfigured(
                f"{PREFIX}{name.upper()} is set, and {folder / file} is mounted with another value: keep one of them"
            )


def _checked(values: Mapping[str, str]) -> Settings:
    try:
        settings = Settings.model_validate(dict(values))
    except ValidationError as error:
        raise Misconfigured(_one_line(error)) from None
    checks.check(settings)
    return settings


def _one_line(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    name = str(first["loc"][0])
    if first["type"] == "missing":
        where = f"{_ALIASES.get(name, (PREFIX + name.upper(),))[0]} or the secret file {SECRETS.get(name, name)}"
        return f"missing setting: set {where}"
    return f"{PREFIX}{name.upper()}: {first['msg']}"
