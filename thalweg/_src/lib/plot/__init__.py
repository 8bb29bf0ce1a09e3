"""Pictures of models and of how they train. Each function draws into a matplotlib Axes and returns it."""
