"""The door: options in, exit code out; joins the hands to the thought."""
