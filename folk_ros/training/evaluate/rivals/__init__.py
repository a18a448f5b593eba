"""What a user would take instead: classical ways to tell objects on a table apart."""
