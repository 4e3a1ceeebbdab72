"""What syncer costs, measured beside what it is compared with."""
