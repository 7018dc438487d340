"""The libraries whose bare clients are built in, each in a module that imports it when it is called."""
