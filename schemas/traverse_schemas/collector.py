"""The garbage collector, for processes that hold the reference tables as long as they live."""

import gc


def spare_what_stays() -> None:
    """Call once everything that stays is loaded. The tables are hundreds of thousands of objects:
    without this the collector walks them again and again (a third of the CPU of a step)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
