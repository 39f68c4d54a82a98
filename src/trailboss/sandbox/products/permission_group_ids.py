"""Ids of permission groups, as far as they are publicly known: data. A configuration that names them by id,
as many of Terraform's do, means the same in the sandbox. Any other group has an id of the sandbox's own.

Source: `GET /user/tokens/permission_groups` of Cloudflare's API, as projects have published its answers.
"""

from __future__ import annotations

KNOWN: dict[str, str] = {
    "API Tokens Write": "686d18d5ac6c441c867cbf6771e58a0a",
    "Access: Apps and Policies Write": "1e13c5124ca64b72b1969a67e8829049",
    "Access: Organizations, Identity Providers, and Groups Write": "bfe0d8686a584fa680f4c53b5eb0de6d",
    "Account Settings Read": "c1fde68c7bcc44588cbb6ddbc16d6480",
    "Analytics Read": "9c88f9c5bce24ce7af9a958ba9c504db",
    "Bot Management Write": "3b94c49258ec4573b06d51d99b6416c0",
    "Cache Purge": "e17beae8b8cb423a99b1730f21238bed",
    "D1 Write": "09b2857d1c31407795e75e3fed8617a1",
    "DNS Read": "82e64a83756745bbbb1c9c2701bf816b",
    "DNS Write": "4755a26eedb94da69e1066d98aa820be",
    "Firewall Services Write": "43137f8d07884d3198dc0ee77ca6e79b",
    "Page Rules Write": "ed07f6c337da4195b4e72a1fb2c6bcae",
    "Pages Write": "8d28297797f24fb8a0c332fe0866ec89",
    "Pipelines Write": "e34111af393449539859485aa5ddd5bd",
    "SSL and Certificates Write": "c03055bc037c4ea9afb9a9f104b7b721",
    "User Details Read": "8acbe5bb0d54464ab867149d7f7cf8ac",
    "Workers AI Write": "bacc64e0f6c34fc0883a1223f938a104",
    "Workers KV Storage Read": "8b47d2786a534c08a1f94ee8f9f599ef",
    "Workers KV Storage Write": "f7f0eda5697f475c90846e879bab8666",
    "Workers R2 Storage Bucket Item Read": "6a018a9f2fc74eb6b293b0c548f38b39",
    "Workers R2 Storage Bucket Item Write": "2efd5506f9c8494dacb1fa10a3e7d5b6",
    "Workers R2 Storage Write": "bf7481a1826f439697cb59a20b22293e",
    "Workers Routes Write": "28f4b596e7d643029c524985477ae49a",
    "Workers Scripts Read": "1a71c399035b4950a1bd1466bbe4f420",
    "Workers Scripts Write": "e086da7e2179491d91ee5f35b3ca210a",
    "Zone Read": "c8fed203ed3043cba015a93ad1616f1f",
    "Zone Settings Write": "3030687196b94b638145a3953da2b699",
    "Zone Write": "e6d2666161e84845a636613608cee8d5",
}
"""Name -> id."""
