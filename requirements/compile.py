"""Write the pinned requirement files, with hashes and without index addresses.

dev.txt is resolved first; each function takes the same versions, so what is tested is what is deployed.
"""

import subprocess
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIB = "lib/pyproject.toml"
DEVELOPMENT = (
    "api",
    "console",
    "recovery",
    "consul",
    "kubernetes",
    "fencing",
    "osc",
    "mysql",
)  # not libvirt: it needs headers that not every machine has
EXTRAS = {
    "api-segments": ["api"],
    "api-hosts": ["api"],
    "api-notifications": ["api"],
    "console": ["api", "console"],
    "recover-host": ["recovery", "fencing"],
    "recover-instance": ["recovery"],
    "readiness": ["recovery", "fencing"],
    "sweep": [],
    "monitor-poll": ["recovery", "consul", "kubernetes"],
    "monitor-guests": ["recovery", "libvirt"],
    "relay": ["aws"],
    "purge": ["api", "aws"],
}


def compile_file(output: str, *sources: str) -> None:
    """Pin the sources into one file."""
    command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
    command += ["--no-header", "--no-emit-index-url", "--no-emit-find-links", "--no-annotate"]
    subprocess.run([*command, "-o", output, *sources], cwd=ROOT, check=True)


def main() -> None:
    """Pin everything."""
    compile_file("requirements/bootstrap.txt", "requirements/bootstrap.in")
    compile_file("requirements/dev.txt", LIB, *_extras(DEVELOPMENT), "requirements/dev.in")
    compile_file("requirements/monitors.txt", "--no-deps", "requirements/monitors.in")
    for function, extras in EXTRAS.items():
        compile_file(f"functions/{function}/requirements.txt", LIB, *_extras(extras), "-c", "requirements/dev.txt")
    compile_file("lib/build.txt", "requirements/build.in", "-c", "requirements/dev.txt")
    compile_file(
        "requirements/real.txt", LIB, *_extras(["libvirt"]), "requirements/real.in", "-c", "requirements/dev.txt"
    )


def _extras(names: Iterable[str]) -> list[str]:
    return [word for name in names for word in ("--extra", name)]


if __name__ == "__main__":
    main()
