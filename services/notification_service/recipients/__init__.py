"""Recipients: contacts and words, asked of the services that own them and not kept."""
