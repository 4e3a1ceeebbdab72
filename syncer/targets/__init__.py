"""Units in, outcomes out: one folder a system."""
