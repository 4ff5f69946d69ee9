"""What is on disk whole or not at all, whoever else writes there."""
