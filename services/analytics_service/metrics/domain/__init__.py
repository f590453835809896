"""What may be asked: dimensions, measures, ranges, zones."""
