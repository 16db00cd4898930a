"""The door for programs: JSON, one noun a file."""
