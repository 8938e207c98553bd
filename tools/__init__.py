"""What `./dev` does: set-up, and the commands of this repository. Only the standard library: it runs before anything is installed."""
