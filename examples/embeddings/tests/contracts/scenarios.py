from llm_contracts import Function, Scenario

ASKED = {
    "provider": "openai",
    "model": "text-embedding-3-small",
    "function": Function.EMBEDDINGS,
    "input": ["a station", "a train"],
}
SCENARIOS = [
    Scenario(id="as-it-comes", script="plain-stream", **ASKED),
    Scenario(id="as-floats", script="plain-stream", params={"encoding_format": "float"}, **ASKED),
    Scenario(id="wrong-key", key="wrong", expects="failure", **ASKED),
]
