"""Templates, and how they write times; whatever is put into one is escaped."""

from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from instance_ha.decide.hold import in_parts
from instance_ha.models.text import age_in_words, values_in_words

_HERE = Path(__file__).parent
STATIC = {  # name: its kind
    "style.css": "text/css; charset=UTF-8",
    "live.js": "text/javascript; charset=UTF-8",
    "icon.svg": "image/svg+xml",
}


class Templates:
    """The templates and the files that they name; both are read once."""

    def __init__(self) -> None:
        self.static = {name: (_HERE / "static" / name).read_bytes() for name in STATIC}
        self._environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters |= {
            "time": _time,
            "clock": _clock,
            "age": _age,
            "words": _words,
            "hold": in_parts,
            "pairs": values_in_words,
        }
        self._environment.globals["static"] = self._address

    def page(self, name: str, *, whole: bool = True, **values: Any) -> str:
        """Write a page; not the ``whole`` of it: only the part that refreshes itself."""
        layout = "live.html" if whole else "fragment.html"
        return self._environment.get_template(name).render(layout=layout, **values)

    def _address(self, name: str) -> str:
        """Name a file with what is in it, so that a browser may keep it for ever."""
        return f"/console/static/{name}?{sha256(self.static[name]).hexdigest()[:12]}"


def _time(value: datetime | None) -> str:
    return "not known" if value is None else f"{value:%Y-%m-%d %H:%M:%S} UTC"


def _clock(value: datetime | None) -> str:
    return "" if value is None else f"{value:%H:%M:%S}"


def _age(value: datetime, now: datetime) -> str:
    return age_in_words(now - value)


def _words(value: object) -> str:
    """Write a name of ours as people do."""
    return str(value).replace("_", " ")
