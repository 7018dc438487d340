from llm_contracts import Function, Scenario

SCENARIOS = [
    Scenario(
        id="ten-at-once",
        script="plain-stream",
        provider="openai",
        model="gpt-4o-mini",
        function=Function.CHAT,
        params={"stream": False},
    )
]
