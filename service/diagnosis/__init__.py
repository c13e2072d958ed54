"""Why a column rang: the cause, in a sentence, from sketches alone."""
