"""Reading requests with a language model: off unless LLM_BASE_URL names an endpoint."""
