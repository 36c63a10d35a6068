"""The tests. All their processes leave out a grammar that none of them needs.

nbformat imports jsonschema, and that takes rfc3987_syntax where JupyterLab has brought it along: to make its grammar of
addresses takes a second, in each of thirty processes. The folder `light` hides it.
"""

import os
import sys
from pathlib import Path

LIGHT = str(Path(__file__).parent / "light")
if LIGHT not in sys.path:  # a worker has it from its parent
    sys.path.insert(0, LIGHT)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [LIGHT, os.environ.get("PYTHONPATH", "")]))
