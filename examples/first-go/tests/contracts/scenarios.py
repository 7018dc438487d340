"""What is asked, a row for each situation."""

from llm_contracts import Scenario

QUESTION = ({"role": "user", "content": "Name a tea."},)
SCENARIOS = [
    Scenario(id="plain-stream", provider="local", model="default", messages=QUESTION),
]
