"""One word a thing: the names that were given up stay given up, and the glossary is true."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from instance_ha.store.schema import metadata

from local.files import repository

ROOT = repository()
TEXTS = {".py", ".md", ".yml", ".yaml", ".toml", ".json", ".log", ".in", ".sh", ".conf", ""}
HERE = Path(__file__).relative_to(ROOT)

# What must not be found, and the word that stands in its place (docs/glossary.md).
RETIRED = {
    r"(?i)(?<![a-z])(eyes?|blind|doubt(s|ed|ful)?)(?![a-z])": "mass-failure guard, suppressed, degraded, unclear",
    r"(?<![a-z])_(?i:look)(s|ed|_back)?(?![a-z])|class Look\b"
    r"|import .*\bLook\b|\.look\b|\blook( =|\()"
    r"|(?i:looked[ _]at)|\b(last|other|another|each|no|next|two|one)[ _-]looks?\b(?! at)": "poll, evaluate, check",
    r"\bSight(ing|Unavailable)?\b|\bView\b": "Reading, Observation, Snapshot, SourceUnavailable",
    r"\bTold\b|\btold_at\b|[._]told\b(?!\()|\btold(=| = |: [A-Z]|\[|\.[a-z])|\"told\"": "reported, ReportState",
    r"(?i)(?<![a-z])judg(e[ds]?|ing)(?![a-z])": "monitored, evaluate",
    r"\bspared\b|\bunsure\b": "degraded, unknown",
    r"\b_cry\b|\b_say\b|\bcr(y|ies)\b": "alert, log",
    r"\bwish(es)?\b|guest_wishes": "guest policy",
    r"\bLetters?\b|\b_?letters\b(?<!dead letters)(?<!dead-letters)(?<!dead_letters)(?<!small letters)": "message",
    r"(?i)(?<![a-z])(bur(y|ied)|let_go)(?![a-z])|\bParcel\b|class Order\b": "dead_letter, release, ArchiveObject",
    r"(?<![a-z])_room\b|\bself\.room\b|\broom = ": "remaining",
    r"\bstore[./]work\b|models/work\b|serve\.work\b|class Work\b|import .*\bWork\b": "Trigger, leases, TaskFunction",
    r"\bReportClient\b|(?<!terminal)(?<!Terminal)(?i:reporter)|class Report\b"
    r"|import .*\bReport\b": "NotificationClient, ProgressCallback",
    r"\bas reports\b|\breport: (str|New|Notification)|(?i:versioned notification\b)"
    r"|Wrap a notification": "notification, event",
    r"(?i)(?<![a-z])notification_(sinks|timeout|interval|give_up_after|endpoint_url)": "event_sinks, event_timeout",
    r"class _?Answer\b|import .*\bAnswer\b|-> _?Answer\b": "ApiModel, DeliveryResult, Handler, Response",
    r"\bNotThere\b|\bLater\[|import .*\bLater\b|\.at_once\b|def at_once\b": "Lazy, Unconfigured, map_concurrent",
    r"\.bounded\b|def bounded|\bbounded=|\btake_host\b|import holding\b": "with_timeout, acquire_host, lease_guard",
    r"world\.step\b|def step\b|step=self\._step": "breakpoint",
    r"\bshaken\b|\bnewer_than\b|\bon_purpose\b": "left_in_error, last_migration_id, administratively_down",
    r"\bquiet_until\b": "muted_until",
    r"seen otherwise|is not to be had|work stumbled|work waits|sink takes nothing": "a plain log line",
    r"counts are lost|event not told|comes again|grow(s|n)? weary|[Ww]hoever": "a plain word",
    r"(: |; |[,.] |\b(for|with|by) )[Ww]ho (asked|asks|can|cannot|follows|has|kills|knows|may not|restarts|sends)\b"
    r"|(: |; |[,.] |\b(for|with|by) )[Ww]ho (serves|stops)\b": "a noun: the caller, an operator, a receiver",
    r"(?i)\bthe original('s)?\b(?! version of the Work)": "Masakari",
    r"\((reference|design|platform facts|spec)[, ]|\(sections? \d|behaviour reference": "what the paper says",
}


def files() -> Iterator[Path]:
    """Name every text of the repository, also what is not committed yet."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        path = Path(name)
        if path.suffix in TEXTS and path != HERE and "recordings" not in path.parts and (ROOT / path).is_file():
            yield path


CONTENTS = {path: (ROOT / path).read_text(errors="replace") for path in files()}


@pytest.mark.parametrize("retired", RETIRED, ids=RETIRED.values())
def test_a_word_that_was_given_up_is_nowhere(retired: str) -> None:
    pattern = re.compile(retired)
    found = [
        f"{path}:{number}: {line.strip()[:120]}"
        for path, text in CONTENTS.items()
        if pattern.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]

    assert found == [], f"say instead: {RETIRED[retired]}"


def rows(text: str) -> Iterator[tuple[str, list[str]]]:
    """Return the words of the glossary, each with its names in the code."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0] not in {"word", "---"}:
            yield cells[0], re.findall(r"`([^`]+)`", cells[-1])


GLOSSARY = dict(rows((ROOT / "docs/glossary.md").read_text()))
CODE = "\n".join(text for path, text in CONTENTS.items() if path.parts[0] in {"lib", "functions"})


@pytest.mark.parametrize("word", GLOSSARY)
def test_the_names_of_a_word_are_in_the_code(word: str) -> None:
    assert GLOSSARY[word] != []
    assert [
        name for name in GLOSSARY[word] if not re.search(rf"\b{re.escape(name.removesuffix('_total'))}", CODE)
    ] == []


@pytest.mark.parametrize("table", sorted(metadata.tables))
def test_every_table_is_in_the_glossary(table: str) -> None:
    assert table in {name for names in GLOSSARY.values() for name in names}
