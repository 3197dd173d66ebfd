"""The Web API methods, one module per family; importing the package registers them all."""
