"""What every test shares: the real engines and the real data, as plugins of their own."""

pytest_plugins = ["tests.engines", "tests.shared_data"]
