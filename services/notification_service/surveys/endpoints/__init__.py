"""`/v1/surveys` for machines, and `/survey/{token}`, the customer's page."""
