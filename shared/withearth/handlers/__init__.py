"""HTTP on one side, use cases on the other: requests become events, results become status codes."""
