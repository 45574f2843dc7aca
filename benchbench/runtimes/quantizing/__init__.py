"""Making the schemes of a model: what goes in, what comes out, and what is said meanwhile, whoever makes them."""
