"""Scripted providers in their own dialects, for rehearsals without keys; what they send is `simulated`."""

from llm_contracts.simulator.engine import KEY
from llm_contracts.simulator.scripts import SCRIPTS
from llm_contracts.simulator.server import DIALECTS, Simulator

__all__ = ["DIALECTS", "KEY", "SCRIPTS", "Simulator"]
