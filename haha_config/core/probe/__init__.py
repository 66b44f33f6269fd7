"""The client's own requests, and what an endpoint's answers to them mean."""
