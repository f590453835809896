"""What a gateway is, and how an e-mail is put together."""
