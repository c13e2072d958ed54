"""Real servers for the tests: Apache Kafka, the embedded broker and PostgreSQL, and the fixtures that share them."""
