"""Pages of staff: what is due next, one case, and the customers to be called."""
