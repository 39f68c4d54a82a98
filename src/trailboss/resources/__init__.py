"""One file per kind of account resource; everything about that kind and nothing else.

`protocol.py` says what a kind is, `registry.py` lists them; read one kind and you have read them all.
"""
