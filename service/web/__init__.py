"""The API, the pages and the metrics endpoint. The only place that knows FastAPI and Jinja."""
