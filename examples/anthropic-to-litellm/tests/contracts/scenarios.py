from llm_contracts import Function, Scenario

QUESTION = ({"role": "user", "content": "How do I get to the station?"},)
ASKED = {
    "provider": "anthropic",
    "model": "claude-haiku-4-5",
    "function": Function.MESSAGES,
    "messages": QUESTION,
    "params": {"stream": True, "max_tokens": 1000},
}
SCENARIOS = [Scenario(id="plain-stream", **ASKED), Scenario(id="tool-calls", **ASKED)]
