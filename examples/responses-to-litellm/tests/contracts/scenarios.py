from llm_contracts import Function, Scenario

ASKED = {
    "provider": "openai",
    "model": "gpt-5-nano",
    "function": Function.RESPONSES,
    "input": "How do I get to the station?",
}
STREAMED = {"stream": True, "reasoning": {"summary": "auto"}}
SCENARIOS = [
    Scenario(id="reasoning", params=STREAMED, **ASKED),
    Scenario(id="parallel-tool-calls", params=STREAMED, **ASKED),
    Scenario(id="whole", script="plain-stream", **ASKED),
]
