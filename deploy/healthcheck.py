"""Whether a server in this container answers: exit 0, else 1 with the reason in one line.

    healthcheck.py                                  # unavoce's /healthz, where UNAVOCE_HOST and UNAVOCE_PORT put it
    healthcheck.py http://127.0.0.1:5000/voices     # another server's page

Only the standard library, so that a check takes a fraction of what `import unavoce` does.
"""

from __future__ import annotations

import http.client
import os
import sys
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

LIMIT_S = 4.0
"""Below the time that the Dockerfiles and compose.yaml give a check, so that the reason is told."""
ANYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - listened on by others, not here
"""Where a server that listens on every address is found."""


def address(arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """The page to ask for: the one that was named, else unavoce's own."""
    if arguments:
        return arguments[0]
    host = environ.get("UNAVOCE_HOST", "127.0.0.1")
    host = ANYWHERE.get(host, host)
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{environ.get('UNAVOCE_PORT', '8010')}/healthz"


def complaint(url: str) -> str:
    """What is wrong with the server at `url`; empty where it answers 200."""
    try:
        place = urlsplit(url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=LIMIT_S)
        connection.request("GET", place.path)
        status = connection.getresponse().status
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"{url}: {error or type(error).__name__}"
    return "" if status == http.client.OK else f"{url}: status {status}"


if __name__ == "__main__":
    sys.exit(complaint(address(sys.argv[1:], os.environ)) or 0)
