"""How many people this machine carries: a throw-away chat, a crowd, and what was measured."""
