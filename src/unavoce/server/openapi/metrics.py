"""`/metrics`, as `server/metrics/` answers it."""

from __future__ import annotations

from unavoce.server.openapi.operation import TEXT, Answer, Content, Operation
from unavoce.server.openapi.refusals import UNAUTHORISED

EXAMPLE = """# HELP unavoce_replies_running Replies that are not over.
# TYPE unavoce_replies_running gauge
unavoce_replies_running{door="socketio"} 1.0
"""
OPENMETRICS = EXAMPLE + "# EOF\n"

OPERATIONS = (
    Operation(
        "get",
        "/metrics",
        "Operating",
        "What the server counts and measures, for Prometheus",
        "docs/operating.md lists it. In the form that `Accept` asks for.",
        [
            Answer(
                200,
                "The figures as they are now.",
                {
                    "text/plain": Content(TEXT, EXAMPLE),
                    "application/openmetrics-text": Content(TEXT, OPENMETRICS),
                },
            ),
            UNAUTHORISED,
        ],
    ),
)
