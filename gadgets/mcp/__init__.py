"""Gadgets of other programs: servers that speak the Model Context Protocol (https://modelcontextprotocol.io).

What a server says, names, descriptions, schemas and results alike, is a third party's text: bounded and cleaned before
a model reads it. `connection` and what it imports need the `mcp` package, which takes a second to import; nothing else
here does.
"""
