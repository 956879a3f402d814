"""What an isolated function's process runs: functions-framework, for as long as the runtime lives.

The runtime holds the other end of our standard input; when it is gone, killed or not, that ends.
"""

import os
import runpy
import signal
import sys
import threading


def _end_with_the_runtime() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_runtime, daemon=True).start()
    sys.argv[0] = "functions-framework"
    runpy.run_module("functions_framework", run_name="__main__")
