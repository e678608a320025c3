"""Installing on a machine: a plan of steps, each of which knows whether it is done, how it is done and undone."""
