"""The pages, looked at in Chromium as their readers do."""
