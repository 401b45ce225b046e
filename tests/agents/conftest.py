"""The frameworks, loaded once: what they warn of at that moment is theirs."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import pipecat.pipeline.worker
    import pipecat.services.tts_service
    import pipecat.workers.runner  # noqa: F401
