"""What the package costs: on its own, and beside what a user could take instead."""
