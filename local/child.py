"""What an isolated function's process runs: what its image runs, for as long as the runtime lives.

The runtime holds the other end of our standard input; when it is gone, killed or not, that ends.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from instance_ha.serving import server


def _end_with_the_runtime() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_runtime, daemon=True).start()
    server.main(Path(sys.argv[1]))
