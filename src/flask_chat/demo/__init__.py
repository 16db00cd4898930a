"""A throw-away chat full of people who talk, for screenshots and for newcomers to click around in."""
