"""What the numbers of a store say: means and how sure they are."""
