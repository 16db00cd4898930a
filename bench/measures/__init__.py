"""The measures, one noun a file. Each starts its servers, asks, audits and returns rows of the table."""
