"""The emulated Cloudflare account. Imports nothing from the other rooms; they reach it over HTTP."""
