from llm_contracts import Scenario

QUESTION = ({"role": "user", "content": "How do I get to the station?"},)
ASKED = {"provider": "openai", "model": "gpt-4o-mini", "messages": QUESTION}
SCENARIOS = [
    Scenario(id="plain-stream", params={"stream_options": {"include_usage": True}}, **ASKED),
    Scenario(id="mid-stream-error", live=False, expects="failure", **ASKED),
]
