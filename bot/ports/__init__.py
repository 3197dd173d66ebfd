"""What the parts of the bot need of each other, as interfaces."""
