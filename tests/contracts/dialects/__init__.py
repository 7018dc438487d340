"""How the simulator plays the two providers that our product alone speaks to."""

from tests.contracts.dialects.dify import DIFY
from tests.contracts.dialects.ernie_v1 import ERNIE_V1

__all__ = ["DIFY", "ERNIE_V1"]
