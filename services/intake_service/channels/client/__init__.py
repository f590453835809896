"""The command `import`: send a file to the running product, with a progress bar."""
