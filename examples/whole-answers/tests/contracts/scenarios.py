from llm_contracts import Scenario

QUESTION = ({"role": "user", "content": "How do I get to the station?"},)
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
ASKED = {"provider": "openai", "model": "gpt-4o-mini", "messages": QUESTION}
SCENARIOS = [
    Scenario(id="plain", script="plain-stream", params={"stream": False}, **ASKED),
    Scenario(id="tool-calls", params={"stream": False, "tools": [WEATHER]}, **ASKED),
    Scenario(id="rate-limit", params={"stream": False}, expects="failure", live=False, **ASKED),
]
