"""The door out: the hub, and the ways in which readers are connected to it."""
