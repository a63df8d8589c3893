"""What a profile counts: columns, languages, domain, duplicates, secrets."""
