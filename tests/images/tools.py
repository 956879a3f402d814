"""Buildah and podman with their state in a folder of ours; the options are those that any machine of ours takes."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from local.files import repository
from tests.images import context

FOLDER = repository() / ".images"
NEEDED = ("podman", "buildah", "runc")
BASE = "localhost/python"
_STATE = ["--root", str(FOLDER / "storage"), "--runroot", str(FOLDER / "run"), "--storage-driver", "overlay"]
_PODMAN = ["podman", *_STATE, "--cgroup-manager", "cgroupfs", "--events-backend", "none", "--runtime", "runc"]
# As strict as a platform may be: nothing but /tmp is writable, and nothing is allowed.
_STRICT = [
    "--read-only", "--read-only-tmpfs=false", "--tmpfs", "/tmp:rw,noexec,size=16m", "--cap-drop", "all",
    "--security-opt", "no-new-privileges", "--memory", "256m",
    "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000",
]  # fmt: skip


def run(*command: str) -> str:
    """Run a command; what it says is the error when it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


def buildah(*words: str) -> str:
    """Run buildah."""
    return run("buildah", *_STATE, *words)


def podman(*words: str) -> str:
    """Run podman."""
    return run(*_PODMAN, *words)


def make_base() -> None:
    """Make the base image of what install.sh has put together, once."""
    if BASE in buildah("images", "--format", "{{.Name}}").split():
        return
    container = buildah("from", "scratch")
    buildah("copy", "-q", container, str(FOLDER / "rootfs"), "/")
    buildah("commit", "-q", "--rm", container, BASE)


def build(name: str, stage: str, **arguments: str) -> str:
    """Build a function's image up to a stage; returns its name."""
    target, wheels = FOLDER / "build" / name, _wheels(name)
    given = context.make(repository() / "stack.yml", name, target) | {
        "PYTHON_IMAGE": BASE,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": "/wheels",
        **arguments,
    }
    options = [word for key, value in given.items() for word in ("--build-arg", f"{key}={value}")]
    image = f"localhost/{name}:{stage}"
    volume = f"{wheels}:/wheels:ro"
    buildah(
        "bud",
        "-q",
        "--layers",
        "--isolation",
        "chroot",
        "--volume",
        volume,
        "--target",
        stage,
        *options,
        "-t",
        image,
        str(target),
    )
    return image


def _wheels(name: str) -> Path:
    """Fetch what a function requires, once; the machine's own settings say from where, and no build needs a network."""
    wheels = FOLDER / "wheels"
    for requirements in (repository() / "functions" / name / "requirements.txt", repository() / "lib/build.txt"):
        fetched = wheels / f"fetched-{sha256(requirements.read_bytes()).hexdigest()[:16]}"
        if not fetched.exists():
            options = ["--no-deps", "--require-hashes", "-d", str(wheels), "-r", str(requirements)]
            run(sys.executable, "-m", "pip", "download", "-qq", *options)
            fetched.touch()
    return wheels


def start(image: str, name: str, secrets: Path, variables: dict[str, str], *options: str) -> None:
    """Run an image in the background."""
    given = [word for key, value in variables.items() for word in ("-e", f"{key}={value}")]
    mounted = f"{secrets}:/var/openfaas/secrets:ro"
    podman(
        "run", "-d", "--name", name, *_STRICT, "--volume", mounted, *given, *(options or ("--network", "host")), image
    )


def python(image: str, program: str) -> str:
    """Run a program in a container of its own; returns what it prints."""
    return podman("run", "--rm", *_STRICT, "--network", "none", image, "python3", "-c", program)


def logs(name: str) -> str:
    """Return what a container has written."""
    done = subprocess.run([*_PODMAN, "logs", name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout


def asked_for() -> bool:
    """Whether these tests shall run."""
    return os.environ.get("IMAGES_TIER") == "1"
