"""What is to be done: a suite, its edits, an agenda, the jobs that they amount to, and the name of a run."""
