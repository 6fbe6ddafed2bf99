"""Likeness: how near two French texts of procurement and territorial life are in meaning."""
