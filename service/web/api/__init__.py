"""The REST API under `/api/v1`: an endpoint or a few a module, each a function of what is stored."""
