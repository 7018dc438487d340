"""What else the network and the provider could have done with a recorded answer. Pure."""

from llm_contracts.sweep.variants.all import variants
from llm_contracts.sweep.variants.recuts import recut_at
from llm_contracts.sweep.variants.variant import Family, Variant

__all__ = ["Family", "Variant", "recut_at", "variants"]
