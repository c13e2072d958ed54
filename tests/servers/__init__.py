"""Real servers for the tests (Apache Kafka, the embedded ones), and the fixtures that share them."""
