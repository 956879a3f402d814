"""Runs the demo; from its first moment on Ctrl-C ends it in one line, also while modules are imported."""

import signal
import sys


def main() -> int:
    """Run it, and say what was in its way."""
    signal.signal(signal.SIGINT, _stop)
    from local.demo.story import play
    from local.hosting import TROUBLES

    try:
        return play()
    except TROUBLES as trouble:
        sys.exit(f"cannot run the demo: {trouble}")


def _stop(*_: object) -> None:
    """End in order; a second Ctrl-C does not disturb that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit("\nstopped")


if __name__ == "__main__":
    sys.exit(main())
