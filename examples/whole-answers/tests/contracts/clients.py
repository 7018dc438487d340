from llm_contracts import Provider

PROVIDERS = [Provider(name="openai", base_url="https://api.openai.com/v1", key_variable="OPENAI_API_KEY")]
