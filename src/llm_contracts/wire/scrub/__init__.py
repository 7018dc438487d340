"""Secrets out of recordings, before anything touches a disk.

By value everywhere: each configured value in any form it can take (`forms`), also where a stream hands it
out in parts (`runs`), and each credential that turns up in the exchanges themselves (`credentials`). By name
where names tell (`names`), and by shape where nothing else is known (`shapes`). In bodies a mask is as long
as what it hides, so that sizes and pieces stay true. Scrubbing what is scrubbed changes nothing.
"""

from __future__ import annotations

from llm_contracts.wire.scrub.names import SCRUBBED, scrub_query
from llm_contracts.wire.scrub.scrubber import Scrubber, SecretFound, find_secrets
from llm_contracts.wire.scrub.shapes import shapes_in, shapes_in_source

__all__ = [
    "SCRUBBED",
    "Scrubber",
    "SecretFound",
    "find_secrets",
    "scrub_query",
    "shapes_in",
    "shapes_in_source",
]
