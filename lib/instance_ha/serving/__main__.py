"""``python -m instance_ha.serving FOLDER``."""

import gc
import sys
from pathlib import Path

gc.disable()  # imports make objects that stay; collecting among them is a tenth of a cold start (make bench)

from instance_ha.serving.server import main  # noqa: E402

main(Path(sys.argv[1]))
