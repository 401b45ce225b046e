"""OpenAI's speech API: a client that was made for it works here by a change of its base URL. See docs/openai-api.md."""
