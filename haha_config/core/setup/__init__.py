"""A set-up on its way: drafts, answers, profiles."""
