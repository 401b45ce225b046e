"""The OpenAPI document: what each HTTP route takes and answers, for programs (`/openapi.json`) and people (`/docs`)."""
