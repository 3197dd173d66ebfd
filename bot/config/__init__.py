"""The configuration: config.yaml and the environment, read into one checked whole."""
