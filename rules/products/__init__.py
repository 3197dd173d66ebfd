"""Questions to the catalogue as a whole: what a break reaches, who owns it, what is missing."""
