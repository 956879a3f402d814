"""Rules about labels, scale, memory and processors of a function in stack.yml."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

Complaints = Iterator[str]
Entry = Mapping[str, Any]

_MOST_REPLICAS = 5
_SCALE = "com.openfaas.scale."
_LABEL_KEY = re.compile(r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(m|k|Ki|M|Mi|G|Gi)?")
_UNITS: Mapping[str, int | str] = {
    "m": "0.001",
    "k": 10**3,
    "Ki": 2**10,
    "M": 10**6,
    "Mi": 2**20,
    "G": 10**9,
    "Gi": 2**30,
}


def labels(_name: str, entry: Entry) -> Complaints:
    """Check that Kubernetes takes the labels, and OpenFaaS CE their scale."""
    given = entry.get("labels") or {}
    for key, value in given.items():
        if not isinstance(value, str):
            yield f"label {key} must be a text: quote it"
        elif not (_LABEL_KEY.fullmatch(key) and _LABEL_VALUE.fullmatch(value)):
            yield f"label {key}: {value} is none that Kubernetes takes"
        if key.startswith(_SCALE) and key not in (f"{_SCALE}min", f"{_SCALE}max"):
            yield f"OpenFaaS CE refuses the label {key}"
    bounds = [str(given.get(f"{_SCALE}{end}", "1")) for end in ("min", "max")]
    if not all(re.fullmatch(f"[1-{_MOST_REPLICAS}]", bound) for bound in bounds) or bounds[0] > bounds[1]:
        yield f"{_SCALE}min and max must be 1 to {_MOST_REPLICAS} in OpenFaaS CE, and in order"


def scale(_name: str, entry: Entry) -> Complaints:
    """Check the bounds for Knative; 0 would be no bound at all for the most."""
    annotations = entry.get("annotations") or {}
    least, most = (str(annotations.get(f"instance-ha.{end}-scale", "")) for end in ("min", "max"))
    if not (least.isdigit() and most.isdigit() and int(most) >= 1 and int(least) <= int(most)):
        yield "instance-ha.min-scale and max-scale must be numbers, in order, the latter 1 or more"


def resources(_name: str, entry: Entry) -> Complaints:
    """Check that limits and requests are there and fit together."""
    for what in ("memory", "cpu"):
        texts = [str((entry.get(key) or {}).get(what, "")) for key in ("requests", "limits")]
        amounts = [amount(text) for text in texts]
        if amounts[0] is None or amounts[1] is None:
            yield f"requests and limits of {what} must be quantities such as 128Mi or 50m"
        elif amounts[0] > amounts[1]:
            yield f"it requests more {what} than its limit"


def amount(text: str) -> Decimal | None:
    """Read a quantity of Kubernetes; None if it is none."""
    found = _QUANTITY.fullmatch(text)
    return Decimal(found[1]) * Decimal(_UNITS.get(found[2] or "", 1)) if found else None
