"""What breaks, on purpose, with the processes that run in earnest: ``make faults``."""
