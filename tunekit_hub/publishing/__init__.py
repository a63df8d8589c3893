"""What a publish consists of: which files, where to, merged or not, and its check from the Hub."""
