"""How figures are arranged for the eye: periods, heat table, chart specifications, labels."""
