"""Hands: each module touches one part of the outside world and knows no other hand."""
