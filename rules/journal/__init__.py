"""The journal: what an entry holds, when one is asked for, and which past incident is like this one."""
