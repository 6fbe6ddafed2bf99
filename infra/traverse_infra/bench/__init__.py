"""What Traverse can carry: measured on real engines, beside what simpler programs carry there."""
