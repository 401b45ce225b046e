"""Measured speed: `python -m bench [PART …]` prints tables and writes them to bench/results/ as JSON.

No figure here is ever asserted: seconds move with the machine and with whatever else runs on it. What to read are the
ratios, all of whose sides are measured in turns within one run. docs/performance.md holds a run and what it taught.
"""

import os

# As unavoce.engines does, for the parts that import ONNX Runtime themselves: it tells its maker otherwise.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
