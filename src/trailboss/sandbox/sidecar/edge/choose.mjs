// Which version answers: override header, then affinity key, then chance. Cloudflare's documented order.

const MEMBER = /^\s*([a-z*][a-z0-9_\-.*]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:;[^,]*)?$/;

/** `worker="uuid", other="uuid"` (RFC 8941 dictionary) as a Map; a header that does not parse is ignored whole. */
export function overrides(header) {
  const found = new Map();
  for (const member of header.split(",")) {
    const match = MEMBER.exec(member);
    if (match === null) return new Map();
    found.set(match[1], match[2].replace(/\\(.)/g, "$1"));
  }
  return found;
}

/** A number in [0, 1) that depends on `text` only, evenly spread. */
export function spread(text) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 4294967296;
}

/** The version at `point` (0..1) along the percentages of `versions`. */
export function at(versions, point) {
  let total = 0;
  for (const { percentage } of versions) total += percentage;
  let rest = point * total;
  let last = versions[0];
  for (const entry of versions) {
    if (entry.percentage <= 0) continue;
    last = entry;
    rest -= entry.percentage;
    if (rest < 0) return entry.version;
  }
  return last?.version;
}

/** The version of `script` that answers a request with these headers (lower-case names). */
export function choose(script, versions, headers) {
  const asked = headers["cloudflare-workers-version-overrides"];
  if (asked !== undefined) {
    const wanted = overrides(asked).get(script);
    if (wanted !== undefined && versions.some((entry) => entry.version === wanted)) return wanted;
  }
  if (versions.length === 1) return versions[0].version;
  const key = headers["cloudflare-workers-version-key"];
  return at(versions, key === undefined ? Math.random() : spread(`${script}\0${key}`));
}

/** The version with the larger share: it hosts the script's Durable Objects and Workflows. */
export function largest(versions) {
  let best;
  for (const entry of versions) if (best === undefined || entry.percentage > best.percentage) best = entry;
  return best?.version;
}
