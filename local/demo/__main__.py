"""Runs the demo; from its first moment on Ctrl-C ends it in one line, also while modules are imported."""

import os
import signal
import sys


def main() -> int:
    """Run it, and say what was in its way."""
    signal.signal(signal.SIGINT, _stop_importing)
    from local.demo.story import play
    from local.troubles import TROUBLES

    signal.signal(signal.SIGINT, _stop)
    try:
        return play()
    except TROUBLES as trouble:
        sys.exit(f"cannot run the demo: {trouble}")


def _stop_importing(*_: object) -> None:
    """End at once: nothing has begun, and an import may turn an exception into an error of its own."""
    os.write(sys.stderr.fileno(), b"\nstopped\n")
    os._exit(1)


def _stop(*_: object) -> None:
    """End in order; a second Ctrl-C does not disturb that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit("\nstopped")


if __name__ == "__main__":
    sys.exit(main())
