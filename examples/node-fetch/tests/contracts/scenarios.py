from llm_contracts import Scenario

QUESTION = ({"role": "user", "content": "How do I get to the station?"},)
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
ASKED = {"provider": "openai", "model": "gpt-5-nano", "messages": QUESTION}
SCENARIOS = [
    Scenario(id="plain-stream", params={"stream_options": {"include_usage": True}}, **ASKED),
    Scenario(id="parallel-tool-calls", params={"tools": [WEATHER]}, **ASKED),
]
