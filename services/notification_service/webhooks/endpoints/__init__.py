"""The paths of webhooks: subscriptions, and their deliveries."""
