"""The same recordings under other releases of LiteLLM and openai."""
