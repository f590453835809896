"""Pure rules of escalation: which level comes next and who takes over."""
