"""The house: tables and verbs, one noun a file. Knows no Flask and no event loop."""
