"""The only room that talks to Cloudflare: one async Cloud."""
