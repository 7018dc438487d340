from llm_contracts import Scenario

QUESTION = ({"role": "user", "content": "How do I get to the station?"},)
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
ASKED = {"provider": "openai", "model": "gpt-5-nano", "messages": QUESTION}
SCENARIOS = [
    Scenario(id="plain-stream", params={"stream_options": {"include_usage": True}}, **ASKED),
    Scenario(id="tool-calls", params={"tools": [WEATHER]}, **ASKED),
]
