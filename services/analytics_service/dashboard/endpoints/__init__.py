"""The pages: `routes` answers, `presenter` puts the figures into words, links and charts."""
