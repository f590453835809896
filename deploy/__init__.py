"""How Redress is put on machines: `deploy.local` on this one, containers elsewhere."""
