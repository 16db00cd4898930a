"""The door for people: HTML, one noun a file."""
