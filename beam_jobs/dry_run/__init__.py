"""What a run would be, and what it would cost, told without running it."""
