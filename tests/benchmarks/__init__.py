"""What `make bench` runs: our loop against a plain one, in turn, as ratios. Not collected by pytest."""
