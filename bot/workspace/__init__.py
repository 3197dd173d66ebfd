"""A Slack workspace for one machine: the demo, the test bench, and the first place to meet the bot."""
