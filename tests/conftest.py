"""What every test shares: the real engines and the real data, as plugins of their own."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.engines", "tests.shared_data"]

# How long an example takes says more of the machine than of the law that is tested: a fresh clone
# builds hypothesis' tables of characters first, and CI shares its cores.
settings.register_profile("traverse", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("traverse")
