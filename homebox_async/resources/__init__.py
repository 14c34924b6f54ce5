"""One module per heading of the document: its models and its operations."""
