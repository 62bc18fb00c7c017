"""Policy for a model's context."""
