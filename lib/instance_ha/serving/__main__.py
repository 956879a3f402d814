"""``python -m instance_ha.serving FOLDER``."""

import sys
from pathlib import Path

from instance_ha.serving.server import main

main(Path(sys.argv[1]))
