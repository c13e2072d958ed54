"""What a deployment rests on, judged: each part well, in doubt or broken, and what to do about it."""
