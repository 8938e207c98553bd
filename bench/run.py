"""Entry of `./dev bench`: started as a script, so the repository is put on the path in the place of this folder."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench.command import main  # noqa: E402  (needs the path above)

sys.exit(main(sys.argv[1:]))
