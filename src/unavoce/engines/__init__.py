"""Engines: what turns a sentence into sound."""

import os

# ONNX Runtime's wheels for Linux tell their maker of each session, over the network, unless that is forbidden before
# they are imported. They read C's environment, which this reaches; programs that this process starts inherit it.
os.putenv("ORT_DISABLE_TELEMETRY", "1")
