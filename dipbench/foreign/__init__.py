"""Files that somebody else made: of what kind, how large and how deep they may be before they are looked into."""
