"""What a Cloudflare product does apart from HTTP: queues, vectors, signatures, history.

Nothing here knows Starlette. Route files own the wire; these modules own the rules, and are tested alone.
"""
