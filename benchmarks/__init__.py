"""What `make bench` prints: ratios within one run on one machine, never a pass or a fail."""
