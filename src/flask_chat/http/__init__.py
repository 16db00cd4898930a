"""What all doors share: who is asking, from where, how often, and how a refusal is told."""
