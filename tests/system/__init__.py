"""The chat as people meet it: a real server, a real browser, real text browsers."""
