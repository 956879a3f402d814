"""Write the pinned requirement files, with hashes and without index addresses.

dev.txt is resolved first; each function takes the same versions, so what is tested is what is deployed.
"""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIB = "lib/pyproject.toml"
EXTRAS = {
    "api-segments": ["api"],
    "api-hosts": ["api"],
    "api-notifications": ["api"],
    "recover-host": ["recovery"],
    "recover-instance": ["recovery"],
    "sweep": ["recovery"],
    "relay": ["relay", "aws"],
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
    compile_file("requirements/dev.txt", LIB, "--all-extras", "requirements/dev.in")
    for function, extras in EXTRAS.items():
        wanted = [word for extra in extras for word in ("--extra", extra)]
        compile_file(f"functions/{function}/requirements.txt", LIB, *wanted, "-c", "requirements/dev.txt")


if __name__ == "__main__":
    main()
