"""How promises were kept: objectives, what is left of their budgets, and what broke them."""
