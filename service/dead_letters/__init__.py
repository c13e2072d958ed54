"""Dead letters as a person meets them: shown safely, judged by today's monitors, written to the log again."""
