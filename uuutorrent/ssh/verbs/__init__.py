"""The verbs of `ssh HOST VERB …`, a module per subject. Each module's `VERBS` are planted into the tree."""
